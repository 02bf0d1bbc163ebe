package supervisor

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// leashed is a supervisor whose standard input the test holds.
type leashed struct {
	layout layout
	input  io.WriteCloser
	cmd    *exec.Cmd
	ended  chan struct{}
	err    error // once it has ended
}

// startLeashed starts a supervisor whose API server never becomes ready.
func startLeashed(t *testing.T) *leashed {
	t.Helper()
	s := &leashed{layout: layout{t.TempDir()}, ended: make(chan struct{})}
	nothing := filepath.Join(s.layout.dir, "nothing")
	s.cmd = exec.Command(os.Args[0], "supervisor", "-leashed", "-dir="+s.layout.dir, "-kwok="+nothing, "-stages="+nothing,
		"-linkerd-controller="+nothing, "-linkerd-tap="+nothing, "-cert-manager="+nothing, "-trust-manager="+nothing,
		"-linkerd-sources="+nothing)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s.cmd.Env = append(os.Environ(), "TMPDIR="+shortDir(t))
	s.cmd.Stderr = t.Output()
	var err error
	s.input, err = s.cmd.StdinPipe()
	must(t, err)
	must(t, s.cmd.Start())
	go func() {
		s.err = s.cmd.Wait()
		close(s.ended)
	}()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		<-s.ended
	})
	eventually(t, "etcd and the API server run", func() bool { return len(s.status().Processes) == 2 })
	return s
}

func (s *leashed) status() Status { return readStatus(s.layout.status()) }

// wait returns when the supervisor has ended without an error.
func (s *leashed) wait(t *testing.T) {
	t.Helper()
	select {
	case <-s.ended:
		must(t, s.err)
	case <-time.After(20 * time.Second):
		t.Fatal("the supervisor did not end")
	}
}

func TestTheSupervisorEndsWithItsInput(t *testing.T) {
	for name, line := range map[string]string{"that is empty": "", "that is cut off": "stay", "that is another word": "go\n"} {
		t.Run(name, func(t *testing.T) {
			s := startLeashed(t)
			children := s.status().Processes
			_, err := io.WriteString(s.input, line)
			must(t, err)
			must(t, s.input.Close())
			s.wait(t)
			if status := s.status(); status.Phase != Stopped || status.Pid != 0 || status.Processes != nil {
				t.Errorf("the last status is %+v", status)
			}
			for child, pid := range children {
				command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
				if err == nil && strings.Contains(string(command), child) {
					t.Errorf("%s still runs as process %d", child, pid)
				}
			}
		})
	}
}

func TestTheSupervisorStaysWhenToldTo(t *testing.T) {
	s := startLeashed(t)
	_, err := io.WriteString(s.input, "stay\n")
	must(t, err)
	must(t, s.input.Close())
	time.Sleep(500 * time.Millisecond) // long enough to see it stop
	if phase := s.status().Phase; phase != Starting {
		t.Fatalf("the supervisor is %s", phase)
	}
	must(t, s.cmd.Process.Signal(syscall.SIGTERM))
	s.wait(t)
}

func TestSandboxesHaveAnAddressEach(t *testing.T) {
	first, second := startLeashed(t).status().APIServer, startLeashed(t).status().APIServer
	if number := numberOf(first); number == 0 || first != (network{number: number}).apiServer() {
		t.Errorf("%s is not the address of a sandbox", first)
	}
	if first == second {
		t.Errorf("both have %s", first)
	}
}
