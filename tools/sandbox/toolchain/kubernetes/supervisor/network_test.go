package supervisor

import (
	"net"
	"testing"
)

func TestClaimNetwork(t *testing.T) {
	first := claim(t, 0)
	second := claim(t, first.number)
	if second.number == first.number {
		t.Fatalf("two sandboxes have network %d", first.number)
	}
	t.Run("gives the preferred one when it is free again", func(t *testing.T) {
		second.claim.Close()
		if again := claim(t, second.number); again.number != second.number {
			t.Errorf("got %d, want %d", again.number, second.number)
		}
	})
	for name, port := range map[string]int{"API server": apiPort, "etcd": etcdPort, "etcd's peers": etcdPeerPort} {
		t.Run("avoids one whose port for "+name+" is in use", func(t *testing.T) {
			free := claim(t, 0)
			free.claim.Close()
			other, err := net.Listen("tcp", free.endpoint(port))
			must(t, err)
			defer other.Close()
			if n := claim(t, free.number); n.number == free.number {
				t.Errorf("claimed network %d, where another program listens on %s", n.number, other.Addr())
			}
		})
	}
}

func TestNumberOf(t *testing.T) {
	for apiServer, want := range map[string]int{
		network{number: 131}.apiServer(): 131,
		"https://127.0.0.1:6443":         0,
		"":                               0,
	} {
		if number := numberOf(apiServer); number != want {
			t.Errorf("numberOf(%q) = %d, want %d", apiServer, number, want)
		}
	}
}

func TestListenAddress(t *testing.T) {
	n := network{number: 131}
	for podIP, want := range map[string]string{
		"10.244.0.7":   "127.131.0.7",
		"10.244.12.34": "127.131.12.34",
		"10.245.0.7":   "",
		"10.96.0.1":    "",
		"":             "",
	} {
		address, ok := n.listenAddress(podIP)
		if ok != (want != "") || ok && address != want {
			t.Errorf("listenAddress(%q) = %q, %v, want %q", podIP, address, ok, want)
		}
	}
}
