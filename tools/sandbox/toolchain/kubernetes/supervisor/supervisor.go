// Package supervisor runs one sandbox: a Kubernetes control plane on loopback, kwok for its node and pods, and real
// processes for the containers that the machine can run. When the supervisor ends, all of them end.
package supervisor

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Main is the command "supervisor". It runs until SIGTERM or SIGINT or, with -leashed, until the process that started it
// ends. Its exit code is 1 when the sandbox fails.
func Main() {
	flags := flag.NewFlagSet("supervisor", flag.ExitOnError)
	var o options
	flags.StringVar(&o.dir, "dir", "", "folder of the sandbox; created if needed")
	flags.StringVar(&o.kwok, "kwok", "", "the kwok binary")
	flags.StringVar(&o.stages, "stages", "", "kwok's stages: how nodes and pods become ready")
	flags.StringVar(&o.controller, "linkerd-controller", "", "the binary of Linkerd's controllers")
	flags.StringVar(&o.tap, "linkerd-tap", "", "the binary of the viz extension's tap and tap injector")
	flags.StringVar(&o.certManager, "cert-manager", "", "the binary of cert-manager's programs")
	flags.StringVar(&o.trustManager, "trust-manager", "", "the binary of trust-manager")
	flags.StringVar(&o.sources, "linkerd-sources", "", "the folder in which Linkerd's controllers find their templates")
	leashed := flags.Bool("leashed", false, "stop when standard input ends, unless it ends with the line \"stay\"")
	_ = flags.Parse(os.Args[1:]) // ExitOnError
	required := []string{o.dir, o.kwok, o.stages, o.controller, o.tap, o.certManager, o.trustManager, o.sources}
	if slices.Contains(required, "") {
		fmt.Fprintln(os.Stderr, "supervisor: all flags except -leashed are required")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer stop()
	if *leashed {
		go leash(os.Stdin, stop)
	}
	if err := supervise(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "supervisor:", err)
		os.Exit(1)
	}
}

// leash calls stop when the input ends, which it does at the latest when the process that holds its other end dies. The
// line "stay" takes the leash off.
func leash(input io.Reader, stop func()) {
	line, _ := bufio.NewReader(input).ReadString('\n')
	if line != "stay\n" {
		stop()
	}
}

// options are the command line: the sandbox's folder, and the tools that it runs. The programs of containers need not
// exist: see podRunner.sync.
type options struct{ dir, kwok, stages, controller, tap, certManager, trustManager, sources string }

// supervise holds the folder's lock, runs the sandbox and writes its last status.
func supervise(ctx context.Context, o options) error {
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return err
	}
	l := layout{dir}
	if err := os.MkdirAll(l.hold(""), 0o700); err != nil {
		return err
	}
	lock, err := os.OpenFile(l.lock(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("another supervisor is running the sandbox in %s (%w)", dir, err)
	}
	status := &statusFile{path: l.status(), status: readStatus(l.status())}
	s := &sandbox{options: o, layout: l, status: status}
	err = s.run(ctx)
	s.stop()
	if err != nil && ctx.Err() == nil {
		status.phase(Failed, err.Error())
		return err
	}
	status.phase(Stopped, "")
	return nil
}

// sandbox is one run of a sandbox.
type sandbox struct {
	options    options
	layout     layout
	status     *statusFile
	components []*component // in the order in which they started
	cleanups   []func()
}

// component is one of the control plane's programs and its current process.
type component struct {
	name    string
	argv    []string
	process *process
	started time.Time
}

// crashTime is the age below which a component that ends is broken rather than interrupted.
const crashTime = 5 * time.Second

// run starts everything and returns when the context ends or a component fails.
func (s *sandbox) run(ctx context.Context) error {
	previous := s.status.status
	s.status.update(func(st *Status) {
		st.Pid, st.Phase, st.Message = os.Getpid(), Starting, "choosing an address"
		st.Processes, st.Missing = map[string]int{}, map[string]string{}
	})
	plane, err := s.prepare(previous)
	if err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", s.layout.kubeconfig())
	if err != nil {
		return err
	}
	config.QPS, config.Burst = 200, 400
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	if err := s.startControlPlane(ctx, plane, client); err != nil {
		return err
	}
	pods, err := s.startPodRunner(ctx, plane, config, client)
	if err != nil {
		return err
	}
	s.cleanups = append(s.cleanups, pods.stop)
	s.status.phase(Ready, "")
	return s.watch(ctx)
}

// prepare claims a network, that of the previous run if it is free, and writes all files.
func (s *sandbox) prepare(previous Status) (controlPlane, error) {
	self, err := os.Executable()
	if err != nil {
		return controlPlane{}, err
	}
	n, err := claimNetwork(numberOf(previous.APIServer))
	if err != nil {
		return controlPlane{}, err
	}
	s.cleanups = append(s.cleanups, func() { n.claim.Close() })
	listener, socket, err := listenEgress()
	if err != nil {
		return controlPlane{}, err
	}
	egress := serveEgress(listener, n)
	s.cleanups = append(s.cleanups, func() {
		egress.Close()
		os.RemoveAll(filepath.Dir(socket))
	})
	plane := controlPlane{options: s.options, layout: s.layout, self: self, network: n, egress: socket}
	s.status.update(func(st *Status) { st.APIServer = n.apiServer() })
	return plane, errors.Join(plane.writeConfig(), writePKI(s.layout, n))
}

// startControlPlane starts the components in the order in which they need each other.
func (s *sandbox) startControlPlane(ctx context.Context, plane controlPlane, client kubernetes.Interface) error {
	if _, err := s.start("etcd", plane.etcdCommand()); err != nil {
		return err
	}
	api, err := s.start("kube-apiserver", plane.apiServerCommand())
	if err != nil {
		return err
	}
	if err := waitReady(ctx, api.process, apiReady(ctx, client)); err != nil {
		return s.explain(api, err)
	}
	if err := createNode(ctx, client); err != nil {
		return err
	}
	if err := rebootNode(ctx, client); err != nil {
		return err
	}
	for name, argv := range map[string][]string{
		"kube-controller-manager": plane.controllerManagerCommand(),
		"kube-scheduler":          plane.schedulerCommand(),
		"kwok":                    plane.kwokCommand(),
	} {
		if _, err := s.start(name, argv); err != nil {
			return err
		}
	}
	node, err := serveKubelet(ctx, s.layout, plane.network, client)
	if err != nil {
		return err
	}
	s.cleanups = append(s.cleanups, func() { node.Close() })
	return nil
}

func (s *sandbox) startPodRunner(ctx context.Context, plane controlPlane, config *rest.Config, client kubernetes.Interface) (*podRunner, error) {
	pods := &podRunner{
		ctx: ctx, layout: s.layout, status: s.status, self: plane.self, options: s.options,
		network: plane.network, api: config, client: client,
	}
	return pods, pods.start()
}

func (s *sandbox) start(name string, argv []string) (*component, error) {
	s.status.phase(Starting, name)
	c := &component{name: name, argv: argv}
	if err := s.launch(c); err != nil {
		return nil, err
	}
	s.components = append(s.components, c)
	return c, nil
}

// launch starts the process of a component.
func (s *sandbox) launch(c *component) error {
	p, err := start(c.name, s.layout.log(c.name), c.argv)
	if err != nil {
		return err
	}
	c.process, c.started = p, time.Now()
	s.status.update(func(st *Status) { st.Processes[c.name] = p.cmd.Process.Pid })
	return nil
}

// explain adds to an error the file that shows its cause.
func (s *sandbox) explain(c *component, err error) error {
	return fmt.Errorf("%w; see %s", err, s.layout.log(c.name))
}

// watch returns when the context ends or, with an error, when a component is broken.
func (s *sandbox) watch(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, c := range s.components {
		group.Go(func() error { return s.keep(ctx, c) })
	}
	return group.Wait()
}

// keep restarts a component whenever it ends, as a kubelet does with the pods of a control plane, until it ends soon
// after a start.
func (s *sandbox) keep(ctx context.Context, c *component) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.process.done:
		}
		ended := fmt.Errorf("%s ended: %s", c.name, c.process.cmd.ProcessState)
		if time.Since(c.started) < crashTime {
			return s.explain(c, ended)
		}
		logLine("%v; restarting it", ended)
		if err := s.launch(c); err != nil {
			return err
		}
	}
}

// stop ends everything in reverse order of its start, so that no process loses one that it depends on.
func (s *sandbox) stop() {
	s.status.phase(Stopping, "")
	for i := len(s.cleanups) - 1; i >= 0; i-- {
		s.cleanups[i]()
	}
	for i := len(s.components) - 1; i >= 0; i-- {
		s.components[i].process.stop()
	}
	s.status.update(func(st *Status) { st.Pid, st.Processes, st.Missing = 0, nil, nil })
}

// logLine writes a line to the supervisor's log.
func logLine(format string, values ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format(time.TimeOnly)+" "+format+"\n", values...)
}
