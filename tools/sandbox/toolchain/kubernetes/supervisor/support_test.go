package supervisor

import (
	"os"
	"testing"
	"time"
)

// TestMain lets the test binary be what the real binary is to the supervisor: "isolated", the supervisor itself, and
// components. The components only wait.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch command := os.Args[1]; command {
		case "isolated", "supervisor":
			os.Args = os.Args[1:]
			map[string]func(){"isolated": Isolated, "supervisor": Main}[command]()
			return
		case "etcd", "kube-apiserver":
			time.Sleep(time.Hour)
		}
	}
	os.Exit(m.Run())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits until the check holds.
func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !check(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// shortDir is a temporary folder with a short path, for sockets.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// claim reserves a network for the length of the test.
func claim(t *testing.T, preferred int) network {
	t.Helper()
	n, err := claimNetwork(preferred)
	must(t, err)
	t.Cleanup(func() { n.claim.Close() })
	return n
}
