package supervisor

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

const (
	// startTimeout limits how long one component may take to answer.
	startTimeout = 60 * time.Second
	nodeName     = "sandbox"
)

// controlPlane is what the components need to know about each other.
type controlPlane struct {
	options options
	layout  layout
	self    string // this binary, which becomes each component
	network network
	egress  string // Unix socket
}

// egressConfig sends the API server's calls to webhooks and extension servers through serveEgress.
const egressConfig = `apiVersion: apiserver.k8s.io/v1beta1
kind: EgressSelectorConfiguration
egressSelections:
- name: cluster
  connection:
    proxyProtocol: HTTPConnect
    transport:
      uds:
        udsName: %q
`

// auditPolicy records each attempt to create a pod with its outcome, so that tests can prove what was ever admitted.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: RequestResponse
  verbs: [create]
  resources: [{resources: [pods]}]
- level: None
`

func (c controlPlane) writeConfig() error {
	if err := os.MkdirAll(c.layout.config(""), 0o700); err != nil {
		return err
	}
	for name, contents := range map[string]string{
		"egress.yaml": fmt.Sprintf(egressConfig, c.egress),
		"audit.yaml":  auditPolicy,
	} {
		if err := os.WriteFile(c.layout.config(name), []byte(contents), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// etcd is the URL for clients of etcd.
func (c controlPlane) etcd() string { return "https://" + c.network.endpoint(etcdPort) }

func (c controlPlane) etcdCommand() []string {
	pki := c.layout.pkiFile
	clients, peers := c.etcd(), "https://"+c.network.endpoint(etcdPeerPort)
	return []string{
		c.self, "etcd",
		"--name=sandbox", "--data-dir=" + c.layout.etcd(),
		"--listen-client-urls=" + clients, "--advertise-client-urls=" + clients,
		// Other users of the machine reach loopback, too, and etcd has every Secret.
		"--client-cert-auth", "--trusted-ca-file=" + pki("ca.crt"),
		"--cert-file=" + pki("etcd.crt"), "--key-file=" + pki("etcd.key"),
		"--peer-client-cert-auth", "--peer-trusted-ca-file=" + pki("ca.crt"),
		"--peer-cert-file=" + pki("etcd.crt"), "--peer-key-file=" + pki("etcd.key"),
		"--listen-peer-urls=" + peers, "--initial-advertise-peer-urls=" + peers, "--initial-cluster=sandbox=" + peers,
		// No data here must survive a power failure, and disks of laptops and of CI are slow to sync.
		"--unsafe-no-fsync", "--log-level=warn",
	}
}

func (c controlPlane) apiServerCommand() []string {
	pki := c.layout.pkiFile
	return []string{
		c.self, "kube-apiserver",
		"--etcd-servers=" + c.etcd(), "--etcd-cafile=" + pki("ca.crt"),
		"--etcd-certfile=" + pki("etcd.crt"), "--etcd-keyfile=" + pki("etcd.key"),
		"--bind-address=" + c.network.host(), fmt.Sprintf("--secure-port=%d", apiPort),
		"--advertise-address=" + c.network.host(), "--endpoint-reconciler-type=none",
		"--service-cluster-ip-range=" + serviceNetwork,
		"--client-ca-file=" + pki("ca.crt"),
		"--tls-cert-file=" + pki("apiserver.crt"), "--tls-private-key-file=" + pki("apiserver.key"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + pki("service-account.pub"),
		"--service-account-signing-key-file=" + pki("service-account.key"),
		"--requestheader-client-ca-file=" + pki("front-proxy-ca.crt"), "--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + pki("front-proxy-client.crt"),
		"--proxy-client-key-file=" + pki("front-proxy-client.key"),
		"--kubelet-certificate-authority=" + pki("ca.crt"),
		"--authorization-mode=Node,RBAC",
		// Services resolve to the addresses of pods, which serveEgress reaches; there is no kube-proxy.
		"--enable-aggregator-routing=true", "--egress-selector-config-file=" + c.layout.config("egress.yaml"),
		"--audit-policy-file=" + c.layout.config("audit.yaml"), "--audit-log-path=" + c.layout.log("audit"),
	}
}

func (c controlPlane) controllerManagerCommand() []string {
	return []string{
		c.self, "kube-controller-manager",
		"--kubeconfig=" + c.layout.config("kube-controller-manager"),
		"--service-account-private-key-file=" + c.layout.pkiFile("service-account.key"),
		"--root-ca-file=" + c.layout.pkiFile("ca.crt"),
		"--use-service-account-credentials=true",
		"--leader-elect=false", "--secure-port=0",
		// The defaults suit a cluster of modest size; a benchmark creates hundreds of pods at once.
		"--kube-api-qps=200", "--kube-api-burst=400",
	}
}

func (c controlPlane) schedulerCommand() []string {
	return []string{
		c.self, "kube-scheduler", "--kubeconfig=" + c.layout.config("kube-scheduler"),
		"--leader-elect=false", "--secure-port=0", "--kube-api-qps=200", "--kube-api-burst=400",
	}
}

func (c controlPlane) kwokCommand() []string {
	return []string{
		c.options.kwok, "--kubeconfig=" + c.layout.config("kwok"),
		"--config=" + c.options.stages,
		"--manage-all-nodes", "--cidr=" + podCIDR, "--node-ip=" + nodeIP,
		"--node-lease-duration-seconds=40",
	}
}

// waitReady asks until the answer is yes. It fails when the process ends or after startTimeout.
func waitReady(ctx context.Context, p *process, ask func() error) error {
	deadline := time.NewTimer(startTimeout)
	defer deadline.Stop()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.done:
			return fmt.Errorf("%s ended: %s", p.name, p.cmd.ProcessState)
		case <-deadline.C:
			return fmt.Errorf("%s did not become ready in %s: %w", p.name, startTimeout, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// apiReady is a question for waitReady. The API server is ready only if its etcd is.
func apiReady(ctx context.Context, client kubernetes.Interface) func() error {
	return func() error {
		_, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		return err
	}
}

// createNode creates the one node, which kwok keeps Ready.
func createNode(ctx context.Context, client kubernetes.Interface) error {
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name:   nodeName,
			Labels: map[string]string{"kubernetes.io/os": "linux", "kubernetes.io/arch": runtime.GOARCH, "kubernetes.io/hostname": nodeName},
		},
		Spec: corev1.NodeSpec{PodCIDR: podCIDR, PodCIDRs: []string{podCIDR}},
	}
	_, err := client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// listenEgress opens the socket in a short temporary folder, because the path of a socket is limited to 107 bytes.
func listenEgress() (listener net.Listener, path string, err error) {
	dir, err := os.MkdirTemp("", "linkerd-mtls-")
	if err != nil {
		return nil, "", err
	}
	path = filepath.Join(dir, "egress.sock")
	listener, err = net.Listen("unix", path)
	return listener, path, err
}
