module github.com/cert-manager/cert-manager/shim

go 1.26.0

require github.com/cert-manager/cert-manager v1.11.5
