// Package gcsblob only names its scheme: the sandbox keeps its state in files.
package gcsblob

// Scheme is that of Google's buckets.
const Scheme = "gs"
