package supervisor

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// Pods have addresses in 10.244.0.0/16. The processes behind them listen on the same address in 127.N.0.0/16, which any
// user can bind on Linux, and the control plane listens on 127.N.255.254. N differs between sandboxes, so several run
// side by side.
const (
	firstNetwork = 128
	lastNetwork  = 250

	podPrefix = "10.244."
	podCIDR   = podPrefix + "0.0/16"
	// nodeIP is the address of the one node.
	nodeIP = podPrefix + "255.1"

	serviceNetwork = "10.96.0.0/16"
	serviceIP      = "10.96.0.1"
)

// The ports of the control plane. Kubernetes' usual ones may be in use on all addresses, by another cluster on this
// machine.
const (
	apiPort      = 26443
	etcdPort     = 22379
	etcdPeerPort = 22380
	kubeletPort  = 20250
	// claimPort is held by the supervisor of the sandbox whose N it is; the kernel releases it when that one ends.
	claimPort = 1025
)

// network is one sandbox's share of the loopback addresses.
type network struct {
	number int
	claim  net.Listener
}

// claimNetwork reserves the first network that nothing on this machine uses, beginning with the preferred one.
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
		claimed, err := reserve(n)
		if err == nil {
			return claimed, nil
		}
		last = err
	}
	return network{}, fmt.Errorf("no free network between 127.%d and 127.%d: %w", firstNetwork, lastNetwork, last)
}

// reserve claims the network of that number, unless another sandbox has it or another program listens on a port of the
// control plane.
func reserve(number int) (network, error) {
	n := network{number: number}
	claim, err := net.Listen("tcp", n.endpoint(claimPort))
	if err != nil {
		return network{}, err
	}
	for _, port := range []int{apiPort, etcdPort, etcdPeerPort} {
		listener, err := net.Listen("tcp", n.endpoint(port))
		if err != nil {
			claim.Close()
			return network{}, err
		}
		listener.Close()
	}
	n.claim = claim
	return n, nil
}

// host is the address of the control plane.
func (n network) host() string { return fmt.Sprintf("127.%d.255.254", n.number) }

func (n network) endpoint(port int) string { return net.JoinHostPort(n.host(), strconv.Itoa(port)) }

func (n network) apiServer() string { return "https://" + n.endpoint(apiPort) }

// numberOf returns the number of the network that the API server's URL belongs to, or 0.
func numberOf(apiServer string) int {
	var number int
	_, _ = fmt.Sscanf(apiServer, "https://127.%d.255.254:", &number) // not a URL at the first start: 0
	return number
}

// listenAddress is where the process behind a pod's address listens; ok is false when it is not the address of a pod.
func (n network) listenAddress(podIP string) (address string, ok bool) {
	rest, ok := strings.CutPrefix(podIP, podPrefix)
	return fmt.Sprintf("127.%d.%s", n.number, rest), ok
}
