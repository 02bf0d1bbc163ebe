// Package bridged serves a Terraform provider as a Pulumi resource plugin.
package bridged

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	pfbridge "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	pfgen "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfgen"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
)

// Serve runs the plugin NAME at VERSION until the engine stops it. Each Terraform resource NAME_foo becomes
// NAME:index/prefixFoo:PrefixFoo, as in Pulumi's own package of that name.
func Serve(name, version, prefix string, upstream provider.Provider) {
	ctx := context.Background()
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
	quiet := diag.DefaultSink(io.Discard, io.Discard, diag.FormatOptions{Color: "never"})
	generated, err := pfgen.GenerateSchema(ctx, pfgen.GenerateSchemaOptions{
		ProviderInfo: info, DiagnosticsSink: quiet, XInMemoryDocs: true,
	})
	if err != nil {
		fmt.Fprintf(os.Stderr, "pulumi-resource-%s: cannot derive the package schema: %v\n", name, err)
		os.Exit(1)
	}
	pfbridge.Main(ctx, name, info, generated.ProviderMetadata)
}
