// Package codegen stands in for the generator of Pulumi YAML. The bridge needs it only to generate documentation, which a
// plugin never does.
package codegen

import (
	"errors"

	"github.com/hashicorp/hcl/v2"
	"github.com/pulumi/pulumi/pkg/v3/codegen/pcl"
)

// GenerateProgram refuses.
func GenerateProgram(*pcl.Program) (map[string][]byte, hcl.Diagnostics, error) {
	return nil, nil, errors.New("the sandbox's plugins are built without github.com/pulumi/pulumi-yaml")
}
