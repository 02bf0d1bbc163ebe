package operations

import (
	"errors"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
)

var errLeftOut = errors.New("the sandbox's pulumi is built without the logs of clouds")

// AWSOperationsProvider refuses.
func AWSOperationsProvider(map[config.Key]string, *Resource) (Provider, error) {
	return nil, errLeftOut
}

// CloudOperationsProvider refuses.
func CloudOperationsProvider(map[config.Key]string, *Resource) (Provider, error) {
	return nil, errLeftOut
}

// GCPOperationsProvider refuses.
func GCPOperationsProvider(map[config.Key]string, *Resource) (Provider, error) {
	return nil, errLeftOut
}
