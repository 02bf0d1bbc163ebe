// Package kubernetes stands in for the Kubernetes provider's Go SDK: 69 generated packages that take minutes to compile,
// and that the provider needs only for Chart v4, ConfigFile v2 and ConfigGroup v2. The sandbox uses none of the three.
// This module holds the names that the provider refers to.
package kubernetes

// UntypedArgs are the properties of any Kubernetes object.
type UntypedArgs map[string]any
