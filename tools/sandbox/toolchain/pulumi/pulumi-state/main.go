// Command pulumi-state keeps the state of Pulumi stacks in a folder and serves the part of Pulumi Cloud's protocol that one
// command of the sandbox needs. A file:// backend writes the whole state at the start and the end of each step; this
// service appends each step to a journal. Between commands the folder is an ordinary file:// backend.
//
// It prints one line of JSON, with address and token, and ends when its standard input ends, so at the latest when the
// process that started it dies.
package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// patience is how long a process that was killed may take to release the folder.
const patience = 10 * time.Second

// ready is the printed line.
type ready struct {
	// URL of the backend, for PULUMI_BACKEND_URL.
	URL string `json:"url"`
	// Token of this process, for PULUMI_ACCESS_TOKEN.
	Token string `json:"token"`
}

func main() {
	directory := flag.String("dir", "", "folder of the state")
	flag.Parse()
	if err := run(*directory); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(directory string) error {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return err
	}
	lock, err := acquire(filepath.Join(directory, "lock"))
	if err != nil {
		return err
	}
	defer lock.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	token := rand.Text()
	server := &http.Server{Handler: newService(directory, token), ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	line := ready{URL: "http://" + listener.Addr().String(), Token: token}
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// acquire locks the file until this process ends. The file names the process, for the error message of the next one.
func acquire(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("locking %s: %w", path, err)
		}
		if time.Now().After(deadline) {
			holder, _ := io.ReadAll(file)
			return nil, fmt.Errorf("another operation is at work on this stack (process %s): wait until it has ended",
				strings.TrimSpace(string(holder)))
		}
	}
	if err := file.Truncate(0); err != nil {
		return nil, err
	}
	_, err = fmt.Fprintln(file, os.Getppid())
	return file, err
}
