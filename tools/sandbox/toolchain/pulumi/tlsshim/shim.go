// Package shim makes the tls provider's constructor, which upstream keeps internal, available to the bridge.
// Its import path lies below the provider's own, because only then does Go allow the import.
package shim

import "github.com/hashicorp/terraform-provider-tls/internal/provider"

// New constructs the Terraform tls provider.
var New = provider.New
