package supervisor

import (
	"fmt"
	"net"
	"strings"
)

// Pods have addresses in 10.N.0.0/16. The processes behind them listen on the same address in 127.N.0.0/16, which
// any user can bind on Linux. N differs between sandboxes, so that several run side by side.
const (
	firstNetwork = 128
	lastNetwork  = 250
	// claimPort on 127.N.255.254 is held by the sandbox whose N it is; the kernel releases it when that one ends.
	claimPort = 1025

	serviceNetwork = "10.96.0.0/16"
	serviceIP      = "10.96.0.1"
)

// network is one sandbox's share of the addresses.
type network struct {
	number int
	claim  net.Listener
}

// claimNetwork takes the first network that no other sandbox on this machine uses, beginning with the preferred one.
func claimNetwork(preferred int) (network, error) {
	candidates := []int{}
	if preferred >= firstNetwork && preferred <= lastNetwork {
		candidates = append(candidates, preferred)
	}
	for n := firstNetwork; n <= lastNetwork; n++ {
		candidates = append(candidates, n)
	}
	var last error
	for _, n := range candidates {
		claim, err := net.Listen("tcp", fmt.Sprintf("127.%d.255.254:%d", n, claimPort))
		if err == nil {
			return network{n, claim}, nil
		}
		last = err
	}
	return network{}, fmt.Errorf("no free pod network between 127.%d and 127.%d: %w", firstNetwork, lastNetwork, last)
}

func (n network) podCIDR() string { return fmt.Sprintf("10.%d.0.0/16", n.number) }

// nodeIP is the address of the one node.
func (n network) nodeIP() string { return fmt.Sprintf("10.%d.255.1", n.number) }

// listenAddress is where the process behind a pod's address listens; ok is false for an address of nobody here.
func (n network) listenAddress(podIP string) (address string, ok bool) {
	rest, ok := strings.CutPrefix(podIP, fmt.Sprintf("10.%d.", n.number))
	return fmt.Sprintf("127.%d.%s", n.number, rest), ok
}

// freePort returns a TCP port that nobody listens on at this moment.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// portIsFree tells whether a server could listen on that port of 127.0.0.1 now.
func portIsFree(port int) bool {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	listener.Close()
	return true
}
