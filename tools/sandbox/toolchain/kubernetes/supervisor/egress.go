package supervisor

import (
	"io"
	"net"
	"net/http"
	"time"
)

// dialTimeout limits one attempt to reach a process; a refusal on loopback is immediate.
const dialTimeout = 5 * time.Second

// serveEgress lets the API server reach webhooks and extension servers: it answers CONNECT for a pod's address by
// dialing the process behind that pod.
func serveEgress(listener net.Listener, n network) *http.Server {
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			http.Error(w, "only CONNECT is served here", http.StatusMethodNotAllowed)
			return
		}
		host, port, err := net.SplitHostPort(r.Host)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		address, ok := n.listenAddress(host)
		if !ok {
			http.Error(w, host+" is not the address of a pod", http.StatusBadGateway)
			return
		}
		backend, err := net.DialTimeout("tcp", net.JoinHostPort(address, port), dialTimeout)
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		defer backend.Close()
		client, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer client.Close()
		if _, err := io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
			return
		}
		done := make(chan struct{}, 2)
		go func() { _, _ = io.Copy(backend, buffered); done <- struct{}{} }()
		go func() { _, _ = io.Copy(client, backend); done <- struct{}{} }()
		<-done
	})}
	go func() { _ = server.Serve(listener) }()
	return server
}
