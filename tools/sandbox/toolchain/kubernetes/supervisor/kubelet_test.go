package supervisor

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
)

func TestPortForward(t *testing.T) {
	n := claim(t, 0)
	process, err := net.Listen("tcp", fmt.Sprintf("127.%d.1.2:0", n.number))
	must(t, err)
	t.Cleanup(func() { process.Close() })
	go func() {
		conn, err := process.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		line, _ := bufio.NewReader(conn).ReadString('\n')
		_, _ = io.WriteString(conn, "heard "+line)
	}()
	port := int32(process.Addr().(*net.TCPAddr).Port)
	addresses := map[string]string{"shop/web": "10.244.1.2", "shop/new": ""}
	node := kubelet{n, func(_ context.Context, namespace, pod string) (string, error) {
		address, found := addresses[namespace+"/"+pod]
		if !found {
			return "", errors.New("not found")
		}
		return address, nil
	}}

	t.Run("reaches the process behind a pod", func(t *testing.T) {
		ours, theirs := net.Pipe()
		ended := make(chan error, 1)
		go func() { ended <- node.PortForward(context.Background(), "shop/web", "", port, theirs) }()
		_, err := io.WriteString(ours, "hello\n")
		must(t, err)
		answer, err := io.ReadAll(ours)
		must(t, err)
		if string(answer) != "heard hello\n" {
			t.Errorf("got %q", answer)
		}
		must(t, <-ended)
	})
	for what, name := range map[string]string{
		"a pod without an address": "shop/new",
		"a pod that is not there":  "shop/other",
		"a port without a process": "shop/web",
	} {
		t.Run("says that it cannot reach "+what, func(t *testing.T) {
			_, theirs := net.Pipe()
			if node.PortForward(context.Background(), name, "", 1, theirs) == nil {
				t.Error("no error")
			}
		})
	}
}
