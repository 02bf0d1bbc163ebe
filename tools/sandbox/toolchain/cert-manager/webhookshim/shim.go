// Package shim makes the webhook's constructor, which upstream keeps internal, available to this binary.
// Its import path lies below cert-manager's own, because only then does Go allow the import.
package shim

import "github.com/cert-manager/cert-manager/internal/webhook"

// NewWebhookServer constructs cert-manager's webhook.
var NewWebhookServer = webhook.NewCertManagerWebhookServer
