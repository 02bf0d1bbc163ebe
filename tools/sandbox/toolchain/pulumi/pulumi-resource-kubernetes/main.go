// Command pulumi-resource-kubernetes is the Pulumi resource plugin for Kubernetes and Helm.
package main

import "github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"

// version is stamped by the linker.
var version string

func main() {
	// The engine needs the schema only to generate code and documentation, which the sandbox never does.
	schema := []byte(`{"name":"kubernetes"}`)
	provider.Serve("kubernetes", version, schema, []byte("{}"))
}
