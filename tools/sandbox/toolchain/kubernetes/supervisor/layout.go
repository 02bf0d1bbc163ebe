package supervisor

import "path/filepath"

// layout names every file of one sandbox. All are in its folder, so removing the folder removes the sandbox.
type layout struct{ dir string }

func (l layout) lock() string            { return filepath.Join(l.dir, "lock") }
func (l layout) status() string          { return filepath.Join(l.dir, "status.json") }
func (l layout) etcd() string            { return filepath.Join(l.dir, "etcd") }
func (l layout) pki() string             { return filepath.Join(l.dir, "pki") }
func (l layout) pkiFile(n string) string { return filepath.Join(l.pki(), n) }
func (l layout) config(n string) string  { return filepath.Join(l.dir, "config", n) }
func (l layout) log(name string) string  { return filepath.Join(l.dir, "logs", name+".log") }
func (l layout) pod(uid string) string   { return filepath.Join(l.dir, "pods", uid) }

// kubeconfig is the administrator's, for people, for the program and for tests.
func (l layout) kubeconfig() string { return filepath.Join(l.dir, "kubeconfig") }

// hold is the file that, while it exists, keeps the container of that name from starting.
func (l layout) hold(container string) string { return filepath.Join(l.dir, "hold", container) }
