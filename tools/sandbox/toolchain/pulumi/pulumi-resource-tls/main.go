// Command pulumi-resource-tls is the Pulumi resource plugin for certificates and keys.
package main

import (
	"github.com/hashicorp/terraform-provider-tls/shim"

	"linkerd-mtls/tools/sandbox/toolchain/pulumi/internal/bridged"
)

// version is stamped by the linker.
var version string

func main() {
	bridged.Serve("tls", version, "", shim.New())
}
