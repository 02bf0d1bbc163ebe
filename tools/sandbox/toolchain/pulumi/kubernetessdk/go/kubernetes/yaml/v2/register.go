// Package v2 registers the objects of Chart v4, ConfigFile v2 and ConfigGroup v2.
package v2

import (
	"fmt"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// RegisterResource refuses: without the SDK there is no type for the object.
func RegisterResource(_ *pulumi.Context, apiVersion, kind, name string, _ kubernetes.UntypedArgs,
	_ ...pulumi.ResourceOption,
) (pulumi.CustomResource, error) {
	return nil, fmt.Errorf("%s %s %q: the sandbox's Kubernetes provider is built without its Go SDK, so it does not "+
		"support Chart v4, ConfigFile v2 and ConfigGroup v2", apiVersion, kind, name)
}
