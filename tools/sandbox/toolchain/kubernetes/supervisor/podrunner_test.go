package supervisor

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/workqueue"
)

// cluster answers for an API server that has one pod.
type cluster struct {
	mutex   sync.Mutex
	pod     *corev1.Pod
	updates int // of the pod's status
}

func (c *cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	w.Header().Set("Content-Type", "application/json")
	pod := fmt.Sprintf("/api/v1/namespaces/%s/pods/%s", c.pod.Namespace, c.pod.Name)
	token := fmt.Sprintf("/api/v1/namespaces/%s/serviceaccounts/%s/token", c.pod.Namespace, c.pod.Spec.ServiceAccountName)
	switch r.Method + " " + r.URL.Path {
	case "POST " + token:
		_, _ = io.WriteString(w, `{"kind":"TokenRequest","apiVersion":"authentication.k8s.io/v1","status":{"token":"t0ken"}}`)
	case "PUT " + pod + "/status":
		c.updates++
		body, _ := io.ReadAll(r.Body)
		updated := &corev1.Pod{}
		if err := runtime.DecodeInto(scheme.Codecs.UniversalDeserializer(), body, updated); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		updated.TypeMeta = c.pod.TypeMeta
		c.pod = updated
		fallthrough
	case "GET " + pod:
		_ = json.NewEncoder(w).Encode(c.pod)
	default:
		http.Error(w, "unexpected "+r.Method+" "+r.URL.Path, http.StatusNotFound)
	}
}

// read returns the pod as it is now, and how often its status was updated.
func (c *cluster) read() (*corev1.Pod, int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.pod.DeepCopy(), c.updates
}

// readyPod is a pod that kwok made ready.
func readyPod(containers ...corev1.Container) *corev1.Pod {
	pod := &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{Kind: "Pod", APIVersion: "v1"},
		ObjectMeta: metav1.ObjectMeta{Name: "tap-1", Namespace: "linkerd-viz", UID: "u1"},
		Spec:       corev1.PodSpec{NodeName: nodeName, ServiceAccountName: "tap", Containers: containers},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, PodIP: "10.244.0.7",
			Conditions: []corev1.PodCondition{
				{Type: corev1.ContainersReady, Status: corev1.ConditionTrue},
				{Type: corev1.PodReady, Status: corev1.ConditionTrue},
			},
		},
	}
	for _, container := range containers {
		pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, corev1.ContainerStatus{Name: container.Name, Ready: true})
	}
	return pod
}

// newRunner returns a runner for that pod. Its informers know the given objects and do not watch; the test reconciles.
func newRunner(t *testing.T, pod *corev1.Pod, objects ...any) (*podRunner, *cluster) {
	t.Helper()
	api := &cluster{pod: pod}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	config := &rest.Config{Host: server.URL}
	client, err := kubernetes.NewForConfig(config)
	must(t, err)
	config.CAData = []byte("the CA") // the client speaks plain HTTP
	self, err := os.Executable()
	must(t, err)
	dir := t.TempDir()
	l := layout{dir}
	tools := filepath.Join(dir, "tools")
	must(t, os.Mkdir(tools, 0o700))
	tool := func(name string) string { return filepath.Join(tools, name) }
	runner := &podRunner{
		ctx: t.Context(), layout: l, self: self, network: network{number: 131}, api: config, client: client,
		status: &statusFile{path: l.status(), status: Status{Processes: map[string]int{}, Missing: map[string]string{}}},
		options: options{
			dir: dir, sources: dir, controller: tool("linkerd-controller"), tap: tool("linkerd-tap"),
			certManager: tool("cert-manager"), trustManager: tool("trust-manager"),
		},
		informers: informers.NewSharedInformerFactory(client, 0),
		queue:     workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]()),
		running:   map[string]*runningPod{},
	}
	t.Cleanup(runner.stop)
	for _, object := range append(objects, pod) {
		must(t, runner.store(object))
	}
	return runner, api
}

// store makes an object known to the runner, as its informers would.
func (r *podRunner) store(object any) error {
	core := r.informers.Core().V1()
	switch object.(type) {
	case *corev1.Secret:
		return core.Secrets().Informer().GetStore().Add(object)
	case *corev1.ConfigMap:
		return core.ConfigMaps().Informer().GetStore().Add(object)
	default:
		return core.Pods().Informer().GetStore().Add(object)
	}
}

// tapContainer mounts a ConfigMap below /var/run and a Secret elsewhere.
var tapContainer = corev1.Container{
	Name: "tap", Image: "cr.l5d.io/linkerd/tap:edge-1", Args: []string{"api", "-namespace=$(NAMESPACE)"},
	Env: []corev1.EnvVar{{Name: "NAMESPACE", ValueFrom: field("metadata.namespace")}},
	VolumeMounts: []corev1.VolumeMount{
		{Name: "config", MountPath: "/var/run/linkerd/config"}, {Name: "tls", MountPath: "/tls"},
	},
}

func field(path string) *corev1.EnvVarSource {
	return &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}
}

func tapPod() (pod *corev1.Pod, config *corev1.ConfigMap, secret *corev1.Secret) {
	pod = readyPod(tapContainer, corev1.Container{Name: "linkerd-proxy", Image: "cr.l5d.io/linkerd/proxy:edge-1"})
	pod.Spec.Volumes = []corev1.Volume{
		{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: "tap-config"},
		}}},
		{Name: "tls", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "tap-tls"}}},
		{Name: "scratch", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
	}
	meta := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name, Namespace: pod.Namespace} }
	config = &corev1.ConfigMap{ObjectMeta: meta("tap-config"), Data: map[string]string{"values": "some values"}}
	secret = &corev1.Secret{ObjectMeta: meta("tap-tls"), Data: map[string][]byte{"tls.crt": []byte("a certificate")}}
	return pod, config, secret
}

const tapKey, tapProcess = "linkerd-viz/tap-1", "tap-1.tap"

func TestAMissingProgramStartsOnceItIsBuilt(t *testing.T) {
	pod, config, secret := tapPod()
	runner, api := newRunner(t, pod, config, secret)
	program := runner.options.tap

	must(t, runner.reconcile(tapKey))
	if missing := readStatus(runner.layout.status()).Missing; !maps.Equal(missing, map[string]string{tapProcess: program}) {
		t.Fatalf("the status says that %v is missing", missing)
	}
	unready, updates := api.read()
	for _, c := range unready.Status.Conditions {
		if c.Status != corev1.ConditionFalse || c.Reason != programMissing || c.Message != "linkerd-tap" {
			t.Errorf("the condition is %+v", c)
		}
	}
	if waiting := unready.Status.ContainerStatuses[0].State.Waiting; waiting == nil || waiting.Reason != programMissing {
		t.Errorf("the container's state is %+v", unready.Status.ContainerStatuses[0].State)
	}
	if !unready.Status.ContainerStatuses[1].Ready {
		t.Error("a container without a program is unready")
	}

	must(t, runner.store(unready))
	must(t, runner.reconcile(tapKey))
	if _, again := api.read(); again != updates {
		t.Error("the same status was written twice")
	}

	seen := filepath.Join(runner.layout.dir, "seen")
	script := fmt.Sprintf("#!/bin/sh\n{ echo \"$@\"; /bin/cat /var/run/linkerd/config/values /var/run/volumes/tls/tls.crt; } "+
		">%[1]s.new; /bin/mv %[1]s.new %[1]s; exec /bin/sleep 60\n", seen)
	must(t, os.WriteFile(program, []byte(script), 0o700))
	must(t, runner.reconcile(tapKey))
	eventually(t, "the program ran", func() bool { return exists(seen) })
	output, err := os.ReadFile(seen)
	must(t, err)
	want := "api -namespace=linkerd-viz -apiserver-addr=127.131.0.7:8089 -metrics-addr=127.131.0.7:9998\nsome valuesa certificate"
	if string(output) != want {
		t.Errorf("the program saw\n%s\nwant\n%s", output, want)
	}
	status := readStatus(runner.layout.status())
	if len(status.Missing) != 0 || status.Processes[tapProcess] == 0 {
		t.Errorf("the status is %+v", status)
	}
	ready, _ := api.read()
	if !shouldRun(ready) || missingPrograms(ready) != "" || !ready.Status.ContainerStatuses[0].Ready {
		t.Errorf("the pod's status is %+v", ready.Status)
	}
}

func TestAHeldContainerDoesNotStart(t *testing.T) {
	pod, config, secret := tapPod()
	runner, _ := newRunner(t, pod, config, secret)
	must(t, os.WriteFile(runner.options.tap, []byte("#!/bin/sh\nexec /bin/sleep 60\n"), 0o700))
	hold := runner.layout.hold("tap")
	must(t, os.MkdirAll(filepath.Dir(hold), 0o700))
	must(t, os.WriteFile(hold, nil, 0o600))
	running := func() bool { return readStatus(runner.layout.status()).Processes[tapProcess] != 0 }
	must(t, runner.reconcile(tapKey))
	if running() {
		t.Error("it runs although it is held")
	}
	must(t, os.Remove(hold))
	must(t, runner.reconcile(tapKey))
	if !running() {
		t.Error("it does not run although it is not held")
	}
	must(t, runner.informers.Core().V1().Pods().Informer().GetStore().Delete(pod))
	must(t, runner.reconcile(tapKey))
	if running() || exists(runner.layout.pod(string(pod.UID))) {
		t.Error("it outlives its pod")
	}
}

func TestShouldRun(t *testing.T) {
	now := metav1.Now()
	for name, test := range map[string]struct {
		change func(*corev1.Pod)
		want   bool
	}{
		"a ready pod":                 {func(*corev1.Pod) {}, true},
		"a pod without an address":    {func(p *corev1.Pod) { p.Status.PodIP = "" }, false},
		"a pod that is being deleted": {func(p *corev1.Pod) { p.DeletionTimestamp = &now }, false},
		"a pod without conditions":    {func(p *corev1.Pod) { p.Status.Conditions = nil }, false},
		"an unready pod": {func(p *corev1.Pod) {
			p.Status.Conditions[1].Status = corev1.ConditionFalse
		}, false},
		"a pod that waits for a program": {func(p *corev1.Pod) {
			setReadiness(p, map[string]string{"tap": "/tools/linkerd-tap"}, "linkerd-tap")
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			pod := readyPod(tapContainer)
			test.change(pod)
			if got := shouldRun(pod); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestEnvironment(t *testing.T) {
	pod := readyPod(tapContainer)
	runner := &podRunner{network: network{number: 131}}
	cases := map[string]struct {
		variable corev1.EnvVar
		want     string
	}{
		"a value":                {corev1.EnvVar{Name: "X", Value: "plain"}, "plain"},
		"the pod's name":         {corev1.EnvVar{Name: "X", ValueFrom: field("metadata.name")}, "tap-1"},
		"the pod's namespace":    {corev1.EnvVar{Name: "X", ValueFrom: field("metadata.namespace")}, "linkerd-viz"},
		"the node's name":        {corev1.EnvVar{Name: "X", ValueFrom: field("spec.nodeName")}, nodeName},
		"the service account":    {corev1.EnvVar{Name: "X", ValueFrom: field("spec.serviceAccountName")}, "tap"},
		"the pod's address":      {corev1.EnvVar{Name: "X", ValueFrom: field("status.podIP")}, "10.244.0.7"},
		"another variable":       {corev1.EnvVar{Name: "X", Value: "in $(BEFORE)"}, "in order"},
		"an escaped reference":   {corev1.EnvVar{Name: "X", Value: "$$(BEFORE)"}, "$(BEFORE)"},
		"a reference to nothing": {corev1.EnvVar{Name: "X", Value: "$(AFTER)"}, "$(AFTER)"},
		"the address of the API server": {corev1.EnvVar{Name: "X", Value: "$(KUBERNETES_SERVICE_HOST):$(KUBERNETES_SERVICE_PORT)"},
			"127.131.255.254:26443"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			container := corev1.Container{Env: []corev1.EnvVar{{Name: "BEFORE", Value: "order"}, test.variable}}
			environment := runner.environment(pod, container)
			if got := environment["X"]; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			names := slices.Sorted(maps.Keys(environment))
			if !slices.Equal(names, strings.Fields("BEFORE HOME KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT X")) {
				t.Errorf("the variables are %v", names)
			}
		})
	}
}
