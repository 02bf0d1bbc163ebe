// Package getter stands in for Terraform's downloader, which imports the SDKs of several clouds. The bridge needs it only to
// convert Terraform programs that have modules, which a plugin never does.
package getter

import "errors"

var errStub = errors.New("the sandbox's plugins are built without github.com/hashicorp/go-getter")

// Detector recognizes a kind of source.
type Detector any

// Detectors are the known kinds of sources: none.
var Detectors []Detector

// FolderStorage keeps modules in a folder.
type FolderStorage struct{ StorageDir string }

// Get refuses.
func (*FolderStorage) Get(_, _ string, _ bool) error { return errStub }

// Dir refuses.
func (*FolderStorage) Dir(string) (string, bool, error) { return "", false, errStub }

// Get refuses.
func Get(_, _ string) error { return errStub }

// Detect refuses.
func Detect(_, _ string, _ []Detector) (string, error) { return "", errStub }

// SubdirGlob refuses.
func SubdirGlob(_, _ string) (string, error) { return "", errStub }

// SourceDirSubdir finds no subfolder.
func SourceDirSubdir(source string) (string, string) { return source, "" }
