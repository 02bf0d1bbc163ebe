package supervisor

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestProgramsOf(t *testing.T) {
	pod := readyPod(
		corev1.Container{Name: "identity", Image: "cr.l5d.io/linkerd/controller:edge-1"},
		corev1.Container{Name: "linkerd-proxy", Image: "cr.l5d.io/linkerd/proxy:edge-1"},
		corev1.Container{Name: "tap", Image: "example.com:5000/acme/tap@sha256:00"},
		corev1.Container{Name: "policy", Image: "nginx"},
		corev1.Container{Name: "main", Image: "cr.l5d.io/linkerd/controller:edge-1"},
	)
	var names []string
	for _, container := range programsOf(pod) {
		names = append(names, container.Name)
	}
	if want := []string{"identity", "tap"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}

func TestImageName(t *testing.T) {
	for image, want := range map[string]string{
		"nginx":                               "nginx",
		"nginx:1.29":                          "nginx",
		"cr.l5d.io/linkerd/controller:edge-1": "controller",
		"localhost:5000/tap":                  "tap",
		"quay.io/jetstack/x:v1@sha256:0123":   "x",
	} {
		if name := imageName(image); name != want {
			t.Errorf("imageName(%q) = %q, want %q", image, name, want)
		}
	}
}

// TestCommands has each program's command and flags for a pod whose process listens on 127.1.2.3.
func TestCommands(t *testing.T) {
	runner := &podRunner{self: "self", options: options{
		controller: "controller", tap: "tap", certManager: "cert-manager", trustManager: "trust-manager",
	}}
	want := map[string]string{
		"proxy-injector":          "controller -addr=127.1.2.3:8443 -metrics-addr=127.1.2.3:9995",
		"sp-validator":            "controller -addr=127.1.2.3:8443 -metrics-addr=127.1.2.3:9997",
		"identity":                "controller -addr=127.1.2.3:8080 -admin-addr=127.1.2.3:9990",
		"policy":                  "self policy-stand-in --server-addr=127.1.2.3:9443",
		"tap-injector":            "tap -addr=127.1.2.3:8443 -metrics-addr=127.1.2.3:9995",
		"tap":                     "tap -apiserver-addr=127.1.2.3:8089 -metrics-addr=127.1.2.3:9998",
		"cert-manager-controller": "cert-manager controller --metrics-listen-address=127.1.2.3:9402",
		"cert-manager-webhook":    "cert-manager webhook --listen-address=127.1.2.3",
		"cert-manager-cainjector": "cert-manager cainjector",
		"trust-manager": "trust-manager --webhook-host=127.1.2.3 --webhook-certificate-dir=/var/run/volumes/tls " +
			"--metrics-port=0 --readiness-probe-port=0 --default-package-location=",
	}
	for name, program := range programs {
		command := strings.Join(append(program.command(runner), program.flags("127.1.2.3")...), " ")
		if command != want[name] {
			t.Errorf("%s is %q, want %q", name, command, want[name])
		}
	}
	if len(programs) != len(want) {
		t.Errorf("there are %d programs, want %d", len(programs), len(want))
	}
}

func TestMountTarget(t *testing.T) {
	for path, want := range map[string]string{
		"/var/run/linkerd/tls": "/var/run/linkerd/tls",
		"/tls":                 "/var/run/volumes/tls",
		"/var/runaway":         "/var/run/volumes/var/runaway",
	} {
		if target := mountTarget(path); target != want {
			t.Errorf("mountTarget(%q) = %q, want %q", path, target, want)
		}
	}
}
