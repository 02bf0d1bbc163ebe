package supervisor

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"
)

// connect sends a request to the egress socket and returns the connection and the answer.
func connect(t *testing.T, socket, method, target string) (net.Conn, *bufio.Reader, *http.Response) {
	t.Helper()
	conn, err := net.Dial("unix", socket)
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	_, err = fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: sandbox\r\n\r\n", method, target)
	must(t, err)
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, &http.Request{Method: method})
	must(t, err)
	return conn, reader, response
}

func TestEgress(t *testing.T) {
	t.Setenv("TMPDIR", shortDir(t))
	n := claim(t, 0)
	listener, socket, err := listenEgress()
	must(t, err)
	server := serveEgress(listener, n)
	t.Cleanup(func() { server.Close() })

	// The process behind the pod 10.244.1.2 repeats one line and ends the connection.
	pod, err := net.Listen("tcp", fmt.Sprintf("127.%d.1.2:0", n.number))
	must(t, err)
	t.Cleanup(func() { pod.Close() })
	go func() {
		for {
			conn, err := pod.Accept()
			if err != nil {
				return
			}
			line, _ := bufio.NewReader(conn).ReadString('\n')
			_, _ = io.WriteString(conn, "heard "+line)
			conn.Close()
		}
	}()
	port := strconv.Itoa(pod.Addr().(*net.TCPAddr).Port)

	t.Run("reaches the process behind a pod", func(t *testing.T) {
		conn, reader, response := connect(t, socket, http.MethodConnect, "10.244.1.2:"+port)
		if response.StatusCode != http.StatusOK {
			t.Fatalf("status %s", response.Status)
		}
		_, err := io.WriteString(conn, "hello\n")
		must(t, err)
		answer, err := io.ReadAll(reader)
		must(t, err)
		if string(answer) != "heard hello\n" {
			t.Errorf("got %q", answer)
		}
	})
	for name, test := range map[string]struct {
		method, target string
		status         int
	}{
		"refuses another method":                 {http.MethodGet, "/", http.StatusMethodNotAllowed},
		"refuses a target without a port":        {http.MethodConnect, "10.244.1.2", http.StatusBadRequest},
		"refuses an address that is not a pod's": {http.MethodConnect, "127.0.0.1:" + port, http.StatusBadGateway},
		"reports that no process listens":        {http.MethodConnect, "10.244.1.3:" + port, http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, response := connect(t, socket, test.method, test.target); response.StatusCode != test.status {
				t.Errorf("status %s, want %d", response.Status, test.status)
			}
		})
	}
}
