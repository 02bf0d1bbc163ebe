// Package azureblob is empty: the sandbox keeps its state in files.
package azureblob
