// Package bridged serves a Terraform provider as a Pulumi resource plugin.
package bridged

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	pfbridge "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
)

// Serve runs the plugin NAME at VERSION until the engine stops it. Each Terraform resource NAME_foo becomes
// NAME:index/prefixFoo:PrefixFoo, as in Pulumi's own package of that name.
func Serve(name, version, prefix string, upstream provider.Provider) {
	info := tfbridge.ProviderInfo{
		P:                              pfbridge.ShimProvider(upstream),
		Name:                           name,
		Version:                        version,
		MetadataInfo:                   tfbridge.NewProviderMetadata([]byte("{}")),
		EnableZeroDefaultSchemaVersion: true,
	}
	standard := tokens.MakeStandard(name)
	info.MustComputeTokens(tokens.SingleModule(name+"_", "index", func(module, resource string) (string, error) {
		return standard(module, prefix+resource)
	}))
	// The engine needs the schema only to generate code and documentation, which the sandbox never does.
	schema := []byte(`{"name":"` + name + `"}`)
	pfbridge.Main(context.Background(), name, info, pfbridge.ProviderMetadata{PackageSchema: schema})
}
