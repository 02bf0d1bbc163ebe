package supervisor

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/kubernetes/third_party/forked/golang/expansion"
)

const (
	// retryDelay passes before a container is tried again that could not be started, is held, or has ended.
	retryDelay = 200 * time.Millisecond
	resync     = 10 * time.Minute
)

// podRunner plays the part of the kubelet that kwok leaves out: while a pod is Ready, its containers that are in the
// list of programs run as processes, with their mounted ConfigMaps, Secrets and service account, kept up to date.
type podRunner struct {
	ctx     context.Context
	layout  layout
	status  *statusFile
	self    string
	options options
	network network
	apiPort int
	api     *rest.Config
	client  kubernetes.Interface

	informers informers.SharedInformerFactory
	queue     workqueue.TypedRateLimitingInterface[string]
	workers   sync.WaitGroup
	running   map[string]*runningPod // by the pod's key; used by the one worker only
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
	// A change of what a pod mounts concerns every pod that runs; there are only a few.
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
			return fmt.Errorf("the watch of %v did not begin", informer)
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

// reconcile makes the processes of one pod what they should be; the empty key stands for all that run.
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
	if current != nil && (pod == nil || pod.UID != current.pod.UID || !isReady(pod)) {
		r.end(key)
		current = nil
	}
	if pod == nil || !isReady(pod) || len(programsOf(pod)) == 0 {
		return nil
	}
	if current == nil {
		current = &runningPod{pod, newVolumes(r, pod), map[string]*process{}}
		r.running[key] = current
	}
	return r.sync(key, current)
}

// sync brings the mounted files up to date and starts what does not run.
func (r *podRunner) sync(key string, current *runningPod) error {
	if err := current.volumes.write(); err != nil {
		return err
	}
	for _, container := range programsOf(current.pod) {
		if p := current.containers[container.Name]; p != nil && !p.ended() {
			continue
		}
		if _, err := os.Stat(r.layout.hold(container.Name)); err == nil {
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
	return nil
}

// run starts a container with its own view of /var/run, where Linkerd's controllers look for their files.
func (r *podRunner) run(current *runningPod, container corev1.Container) (*process, error) {
	address, ok := r.network.listenAddress(current.pod.Status.PodIP)
	if !ok {
		return nil, fmt.Errorf("the pod's address %s is not in %s", current.pod.Status.PodIP, r.network.podCIDR())
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

// environment is what the kubelet would give the container, as far as it does not depend on resources of the node.
func (r *podRunner) environment(pod *corev1.Pod, container corev1.Container) map[string]string {
	fields := map[string]string{
		"metadata.name":           pod.Name,
		"metadata.namespace":      pod.Namespace,
		"spec.nodeName":           pod.Spec.NodeName,
		"spec.serviceAccountName": pod.Spec.ServiceAccountName,
		"status.podIP":            pod.Status.PodIP,
	}
	environment := map[string]string{
		"KUBERNETES_SERVICE_HOST": "127.0.0.1",
		"KUBERNETES_SERVICE_PORT": strconv.Itoa(r.apiPort),
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
		}
	})
	_ = os.RemoveAll(r.layout.pod(string(current.pod.UID))) // a leftover is removed at the next start
}

// stop ends all processes of the pod at the same time, as a kubelet does.
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

func isReady(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp == nil && pod.Status.PodIP != "" &&
		slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		})
}
