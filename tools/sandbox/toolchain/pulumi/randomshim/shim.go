// Package shim makes the random provider's constructor, which upstream keeps internal, available to the bridge.
// Its import path lies below the provider's own, because only then does Go allow the import.
package shim

import "github.com/terraform-providers/terraform-provider-random/internal/provider"

// New constructs the Terraform random provider.
var New = provider.New
