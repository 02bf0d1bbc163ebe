// Package definitions keeps the Prometheus operator among the modules: the tests install its custom resource definitions.
package definitions

import _ "github.com/prometheus-operator/prometheus-operator/pkg/versionutil"
