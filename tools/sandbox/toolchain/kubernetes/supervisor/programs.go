package supervisor

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// program is the real thing behind a container.
type program struct {
	// image is the last part of the name of the container's image, without registry and tag. A container of the same
	// name with another image is a different program.
	image string
	// command is the path of the binary, and the arguments that the image's entry point has.
	command func(*podRunner) []string
	// flags follow the container's own arguments and make it listen on the pod's address.
	flags func(address string) []string
}

// programs lists, by the name of the container, what runs as a process. All other containers exist in the API only.
var programs = map[string]program{
	"proxy-injector": {"controller", controller, webhookFlags},
	"sp-validator": {"controller", controller, func(address string) []string {
		return []string{"-addr=" + address + ":8443", "-metrics-addr=" + address + ":9997"}
	}},
	"identity": {"controller", controller, func(address string) []string {
		return []string{"-addr=" + address + ":8080", "-admin-addr=" + address + ":9990"}
	}},
	"policy": {"policy-controller", policyStandIn, func(address string) []string {
		return []string{"--server-addr=" + address + ":9443"}
	}},
	"tap-injector": {"tap", tap, webhookFlags},
	"tap": {"tap", tap, func(address string) []string {
		return []string{"-apiserver-addr=" + address + ":8089", "-metrics-addr=" + address + ":9998"}
	}},
	"cert-manager-controller": {"cert-manager-controller", certManager("controller"), func(address string) []string {
		return []string{"--metrics-listen-address=" + address + ":9402"}
	}},
	"cert-manager-webhook": {"cert-manager-webhook", certManager("webhook"), func(address string) []string {
		return []string{"--listen-address=" + address}
	}},
	"cert-manager-cainjector": {"cert-manager-cainjector", certManager("cainjector"), noFlags},
	"trust-manager":           {"trust-manager", trustManager, trustManagerFlags},
}

func controller(r *podRunner) []string { return []string{r.options.controller} }

func tap(r *podRunner) []string { return []string{r.options.tap} }

func trustManager(r *podRunner) []string { return []string{r.options.trustManager} }

// policyStandIn answers in place of the policy controller, which is not written in Go; it is in this binary.
func policyStandIn(r *podRunner) []string { return []string{r.self, "policy-stand-in"} }

func certManager(program string) func(*podRunner) []string {
	return func(r *podRunner) []string { return []string{r.options.certManager, program} }
}

func webhookFlags(address string) []string {
	return []string{"-addr=" + address + ":8443", "-metrics-addr=" + address + ":9995"}
}

// trustManagerFlags let the servers that always listen on all addresses choose a free port. There is no package of public
// certificates: it comes from an init container, which does not run.
func trustManagerFlags(address string) []string {
	return []string{
		"--webhook-host=" + address, "--webhook-certificate-dir=" + mountTarget("/tls"),
		"--metrics-port=0", "--readiness-probe-port=0", "--default-package-location=",
	}
}

func noFlags(string) []string { return nil }

// programsOf lists the containers of a pod that run as processes.
func programsOf(pod *corev1.Pod) []corev1.Container {
	return slices.DeleteFunc(slices.Clone(pod.Spec.Containers), func(c corev1.Container) bool {
		program, found := programs[c.Name]
		return !found || program.image != imageName(c.Image)
	})
}

// imageName is the last part of the name of an image: registry/path/NAME:tag@digest.
func imageName(image string) string {
	name := image[strings.LastIndex(image, "/")+1:]
	if end := strings.IndexAny(name, ":@"); end >= 0 {
		name = name[:end]
	}
	return name
}
