// Package s3blob is empty: the sandbox keeps its state in files.
package s3blob
