// Command pulumi-resource-random is the Pulumi resource plugin for random values.
package main

import (
	"github.com/terraform-providers/terraform-provider-random/shim"

	"linkerd-mtls/tools/sandbox/toolchain/pulumi/internal/bridged"
)

// version is stamped by the linker.
var version string

func main() {
	bridged.Serve("random", version, "Random", shim.New())
}
