package supervisor

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// isolate gives a child its own mount namespace, environment and working folder. An ordinary user may mount because it is
// root in a user namespace.
func isolate(environment map[string]string, dir string) func(*exec.Cmd) {
	return func(cmd *exec.Cmd) {
		cmd.Dir = dir
		for name, value := range environment {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWNS
		if uid, gid := os.Geteuid(), os.Getegid(); uid != 0 {
			cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
			cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: uid, Size: 1}}
			cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: gid, Size: 1}}
		}
	}
}

// Isolated is the command "isolated -mount=FOLDER:PATH ... -- COMMAND ARGUMENT ...": within the mount namespace that
// isolate made, it covers the machine's /var/run with an empty one, mounts the folders there and becomes the command.
func Isolated() {
	if err := enterIsolation(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "isolated:", err)
		os.Exit(1)
	}
}

func enterIsolation(args []string) error {
	run, err := filepath.EvalSymlinks("/var/run")
	if err != nil {
		return err
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	// Folders of the sandbox may lie below the path that will be covered: open them before, and mount by descriptor.
	type mount struct {
		folder *os.File
		target string
	}
	var mounts []mount
	for len(args) > 0 && args[0] != "--" {
		value := strings.TrimPrefix(args[0], "-mount=")
		colon := strings.LastIndex(value, ":")
		folder, err := os.Open(value[:colon])
		if err != nil {
			return err
		}
		mounts = append(mounts, mount{folder, value[colon+1:]})
		args = args[1:]
	}
	if err := syscall.Mount("tmpfs", run, "tmpfs", 0, "size=1m,mode=0755"); err != nil {
		return fmt.Errorf("cover %s: %w", run, err)
	}
	for _, m := range mounts {
		if err := os.MkdirAll(m.target, 0o755); err != nil {
			return err
		}
		source := fmt.Sprintf("/proc/self/fd/%d", m.folder.Fd())
		if err := syscall.Mount(source, m.target, "", syscall.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount %s: %w", m.target, err)
		}
	}
	if len(args) < 2 {
		return fmt.Errorf("a command is missing after --")
	}
	return syscall.Exec(args[1], args[1:], os.Environ())
}
