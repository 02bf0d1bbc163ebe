package supervisor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/retry"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/kubernetes/third_party/forked/golang/expansion"
)

const (
	// retryDelay passes before the next try to start a container that failed to start, is held, lacks its program or
	// ended.
	retryDelay = 200 * time.Millisecond
	resync     = 10 * time.Minute
	// programMissing is the reason why a pod is not ready while the program of a container does not exist.
	programMissing = "ProgramMissing"
)

// podRunner is the part of the kubelet that kwok does not have. When kwok makes a pod ready, the containers that are in
// the list of programs run as processes. Their ConfigMaps, Secrets and service account are mounted and kept up to date.
type podRunner struct {
	ctx     context.Context
	layout  layout
	status  *statusFile
	self    string
	options options
	network network
	api     *rest.Config
	client  kubernetes.Interface

	informers informers.SharedInformerFactory
	queue     workqueue.TypedRateLimitingInterface[string]
	workers   sync.WaitGroup
	running   map[string]*runningPod // by the pod's key; only the one worker uses it
}

// runningPod is a pod that has processes.
type runningPod struct {
	pod        *corev1.Pod
	volumes    *volumes
	containers map[string]*process
}

func (r *podRunner) start() error {
	r.running = map[string]*runningPod{}
	if err := os.RemoveAll(r.layout.pod("")); err != nil {
		return err
	}
	r.queue = workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]())
	r.informers = informers.NewSharedInformerFactory(r.client, resync)
	core := r.informers.Core().V1()
	enqueue := func(object any) {
		if key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(object); err == nil {
			r.queue.Add(key)
		}
	}
	// A change of a Secret or ConfigMap reconciles every running pod; there are only a few.
	enqueueAll := func(any) { r.queue.Add("") }
	for informer, handler := range map[cache.SharedIndexInformer]func(any){
		core.Pods().Informer():       enqueue,
		core.Secrets().Informer():    enqueueAll,
		core.ConfigMaps().Informer(): enqueueAll,
	} {
		_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc: handler, UpdateFunc: func(_, object any) { handler(object) }, DeleteFunc: handler,
		})
		if err != nil {
			return err
		}
	}
	r.informers.Start(r.ctx.Done())
	for informer, synced := range r.informers.WaitForCacheSync(r.ctx.Done()) {
		if !synced {
			return fmt.Errorf("the watch of %v did not start", informer)
		}
	}
	r.workers.Go(r.work)
	return nil
}

// stop ends all processes.
func (r *podRunner) stop() {
	r.queue.ShutDown()
	r.workers.Wait()
	var ending sync.WaitGroup
	for _, current := range r.running {
		ending.Go(func() { current.stop() })
	}
	ending.Wait()
	for key := range r.running {
		r.end(key)
	}
}

func (r *podRunner) work() {
	for {
		key, shutdown := r.queue.Get()
		if shutdown {
			return
		}
		if err := r.reconcile(key); err != nil {
			logLine("%s: %v", key, err)
			r.queue.AddAfter(key, retryDelay)
		}
		r.queue.Done(key)
	}
}

// reconcile starts and ends the processes of one pod; the empty key stands for all pods that run.
func (r *podRunner) reconcile(key string) error {
	if key == "" {
		for key := range r.running {
			r.queue.Add(key)
		}
		return nil
	}
	object, found, err := r.informers.Core().V1().Pods().Informer().GetIndexer().GetByKey(key)
	if err != nil {
		return err
	}
	var pod *corev1.Pod
	if found {
		pod = object.(*corev1.Pod)
	}
	current := r.running[key]
	if current != nil && (pod == nil || pod.UID != current.pod.UID || !shouldRun(pod)) {
		r.end(key)
		current = nil
	}
	if pod == nil || !shouldRun(pod) || len(programsOf(pod)) == 0 {
		return nil
	}
	if current == nil {
		current = &runningPod{pod, newVolumes(r, pod), map[string]*process{}}
		r.running[key] = current
	}
	current.pod = pod
	return r.sync(key, current)
}

// sync updates the mounted files and starts the containers that do not run. One whose program does not exist makes the
// pod unready until it does.
func (r *podRunner) sync(key string, current *runningPod) error {
	if err := current.volumes.write(); err != nil {
		return err
	}
	missing := map[string]string{}
	for _, container := range programsOf(current.pod) {
		if p := current.containers[container.Name]; p != nil && !p.ended() {
			continue
		}
		if exists(r.layout.hold(container.Name)) {
			r.queue.AddAfter(key, retryDelay)
			continue
		}
		if program := programs[container.Name].command(r)[0]; !exists(program) {
			missing[container.Name] = program
			r.queue.AddAfter(key, retryDelay)
			continue
		}
		p, err := r.run(current, container)
		if err != nil {
			return err
		}
		current.containers[container.Name] = p
		r.status.update(func(s *Status) { s.Processes[processName(current.pod, container)] = p.cmd.Process.Pid })
		logLine("%s: %s runs as process %d", key, container.Name, p.cmd.Process.Pid)
		go func() {
			<-p.done
			r.queue.AddAfter(key, retryDelay)
		}()
	}
	return r.reportMissing(key, current.pod, missing)
}

// reportMissing says in the log, in the status and in the pod's own status which containers wait for a program, given by
// the containers' names.
func (r *podRunner) reportMissing(key string, pod *corev1.Pod, missing map[string]string) error {
	var names []string
	for _, program := range missing {
		names = append(names, filepath.Base(program))
	}
	slices.Sort(names)
	message := strings.Join(slices.Compact(names), ", ")
	if message == missingPrograms(pod) {
		return nil
	}
	r.status.update(func(s *Status) {
		for _, container := range pod.Spec.Containers {
			delete(s.Missing, processName(pod, container))
			if program := missing[container.Name]; program != "" {
				s.Missing[processName(pod, container)] = program
				logLine("%s: %s waits for %s, which does not exist", key, container.Name, program)
			}
		}
	})
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		pods := r.client.CoreV1().Pods(pod.Namespace)
		latest, err := pods.Get(r.ctx, pod.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		setReadiness(latest, missing, message)
		_, err = pods.UpdateStatus(r.ctx, latest, metav1.UpdateOptions{})
		return err
	})
}

// setReadiness makes a pod ready if no program is missing, and unready otherwise.
func setReadiness(pod *corev1.Pod, missing map[string]string, message string) {
	status, reason, now := corev1.ConditionTrue, "", metav1.Now()
	if len(missing) > 0 {
		status, reason = corev1.ConditionFalse, programMissing
	}
	for i := range pod.Status.Conditions {
		c := &pod.Status.Conditions[i]
		if c.Type == corev1.PodReady || c.Type == corev1.ContainersReady {
			c.Status, c.Reason, c.Message, c.LastTransitionTime = status, reason, message, now
		}
	}
	for i := range pod.Status.ContainerStatuses {
		c := &pod.Status.ContainerStatuses[i]
		_, waits := missing[c.Name]
		c.Ready, c.Started = !waits, new(!waits)
		c.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}}
		if waits {
			c.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
		}
	}
}

// missingPrograms returns the programs that a pod waits for according to its status, or "".
func missingPrograms(pod *corev1.Pod) string {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady && c.Reason == programMissing {
			return c.Message
		}
	}
	return ""
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// run starts a container with a /var/run of its own, where Linkerd's controllers look for their files.
func (r *podRunner) run(current *runningPod, container corev1.Container) (*process, error) {
	address, ok := r.network.listenAddress(current.pod.Status.PodIP)
	if !ok {
		return nil, fmt.Errorf("the pod's address %s is not in %s", current.pod.Status.PodIP, podCIDR)
	}
	argv := []string{r.self, "isolated"}
	for _, mount := range current.volumes.mounts(container) {
		argv = append(argv, "-mount="+mount)
	}
	environment := r.environment(current.pod, container)
	real := programs[container.Name]
	argv = append(append(argv, "--"), real.command(r)...)
	for _, argument := range container.Args {
		argv = append(argv, expansion.Expand(argument, expansion.MappingFuncFor(environment)))
	}
	argv = append(argv, real.flags(address)...)
	name := processName(current.pod, container)
	return start(name, r.layout.log(name), argv, isolate(environment, r.options.sources))
}

// environment is what a kubelet would give the container, without what depends on the node's resources.
func (r *podRunner) environment(pod *corev1.Pod, container corev1.Container) map[string]string {
	fields := map[string]string{
		"metadata.name":           pod.Name,
		"metadata.namespace":      pod.Namespace,
		"spec.nodeName":           pod.Spec.NodeName,
		"spec.serviceAccountName": pod.Spec.ServiceAccountName,
		"status.podIP":            pod.Status.PodIP,
	}
	environment := map[string]string{
		"KUBERNETES_SERVICE_HOST": r.network.host(),
		"KUBERNETES_SERVICE_PORT": strconv.Itoa(apiPort),
		"HOME":                    "/nonexistent",
	}
	for _, variable := range container.Env {
		value := expansion.Expand(variable.Value, expansion.MappingFuncFor(environment))
		if variable.ValueFrom != nil && variable.ValueFrom.FieldRef != nil {
			value = fields[variable.ValueFrom.FieldRef.FieldPath]
		}
		environment[variable.Name] = value
	}
	return environment
}

// end stops the processes of a pod and removes its files.
func (r *podRunner) end(key string) {
	current := r.running[key]
	delete(r.running, key)
	current.stop()
	logLine("%s: ended", key)
	r.status.update(func(s *Status) {
		for _, container := range current.pod.Spec.Containers {
			delete(s.Processes, processName(current.pod, container))
			delete(s.Missing, processName(current.pod, container))
		}
	})
	_ = os.RemoveAll(r.layout.pod(string(current.pod.UID))) // the next start removes what is left
}

// stop ends all processes of the pod at once, as a kubelet does.
func (p *runningPod) stop() {
	var ending sync.WaitGroup
	for _, process := range p.containers {
		ending.Go(process.stop)
	}
	ending.Wait()
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

func processName(pod *corev1.Pod, container corev1.Container) string {
	return pod.Name + "." + container.Name
}

// shouldRun says whether kwok made the pod ready; that only a program is missing does not change it.
func shouldRun(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp == nil && pod.Status.PodIP != "" &&
		slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && (c.Status == corev1.ConditionTrue || c.Reason == programMissing)
		})
}
