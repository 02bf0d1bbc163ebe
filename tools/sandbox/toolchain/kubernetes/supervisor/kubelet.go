package supervisor

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/cri-streaming/pkg/streaming/portforward"
)

const (
	// forwardIdle ends a forwarded connection on which nothing happens, as a kubelet does.
	forwardIdle = 4 * time.Hour
	// forwardCreation limits how long a client may take to open the streams of a connection.
	forwardCreation = 30 * time.Second
)

// kubelet is what the API server reaches of the node: port-forward, to the processes behind pods. Whoever can connect to
// it can connect to those processes, too.
type kubelet struct {
	network network
	// podIP is the address of a pod, which may be empty.
	podIP func(ctx context.Context, namespace, pod string) (string, error)
}

// newKubelet finds pods by their status.
func newKubelet(n network, client kubernetes.Interface) kubelet {
	return kubelet{n, func(ctx context.Context, namespace, pod string) (string, error) {
		object, err := client.CoreV1().Pods(namespace).Get(ctx, pod, metav1.GetOptions{})
		if err != nil {
			return "", err
		}
		return object.Status.PodIP, nil
	}}
}

// serveKubelet listens where the API server looks for the node's kubelet, with the certificate that it trusts, and says in
// the node's status on which port. kwok has port-forward too, but wants an object for each pod.
func serveKubelet(ctx context.Context, l layout, n network, client kubernetes.Interface) (*http.Server, error) {
	address, _ := n.listenAddress(nodeIP)
	listener, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(kubeletPort)))
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/portForward/{namespace}/{pod}", newKubelet(n, client).serveForward)
	server := &http.Server{Handler: mux}
	go func() { _ = server.ServeTLS(listener, l.pkiFile("kubelet.crt"), l.pkiFile("kubelet.key")) }()
	port := fmt.Sprintf(`{"status":{"daemonEndpoints":{"kubeletEndpoint":{"Port":%d}}}}`, kubeletPort)
	_, err = client.CoreV1().Nodes().Patch(ctx, nodeName, types.MergePatchType, []byte(port), metav1.PatchOptions{}, "status")
	return server, err
}

func (k kubelet) serveForward(w http.ResponseWriter, r *http.Request) {
	options, err := portforward.NewV4Options(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	name := r.PathValue("namespace") + "/" + r.PathValue("pod")
	portforward.ServePortForward(w, r, k, name, "", options, forwardIdle, forwardCreation, portforward.SupportedProtocols)
}

// PortForward connects the stream with the process that listens on the port of a pod.
func (k kubelet) PortForward(ctx context.Context, name, _ string, port int32, stream io.ReadWriteCloser) error {
	defer stream.Close()
	namespace, pod, _ := strings.Cut(name, "/")
	ip, err := k.podIP(ctx, namespace, pod)
	if err != nil {
		return err
	}
	address, ok := k.network.listenAddress(ip)
	if !ok {
		return fmt.Errorf("the pod has no address in %s", podCIDR)
	}
	backend, err := net.DialTimeout("tcp", net.JoinHostPort(address, strconv.Itoa(int(port))), dialTimeout)
	if err != nil {
		return err
	}
	defer backend.Close()
	go func() {
		_, _ = io.Copy(backend, stream)
		_ = backend.(*net.TCPConn).CloseWrite() // what the process still has to say is wanted
	}()
	_, err = io.Copy(stream, backend)
	return err
}
