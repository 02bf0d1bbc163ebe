package supervisor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	volumeutil "k8s.io/kubernetes/pkg/volume/util"
)

const (
	serviceAccountPath = "/var/run/secrets/kubernetes.io/serviceaccount"
	// tokenSeconds is longer than any run, so tokens need no renewal.
	tokenSeconds = int64(pkiValidity / 1e9)
	// ownPath is the part of the file system that is each process's own.
	ownPath = "/var/run"
)

// mountTarget is where a process finds what its container mounts at the path. Only ownPath is the process's own: a mount
// outside goes to a folder within it, and a flag has to tell the program so.
func mountTarget(path string) string {
	if strings.HasPrefix(path, ownPath+"/") {
		return path
	}
	return filepath.Join(ownPath, "volumes", path)
}

// volumes are the folders that a pod's containers mount. As a kubelet does, they are replaced whole by changing one link,
// which is what the controllers watch for.
type volumes struct {
	runner *podRunner
	pod    *corev1.Pod
	token  []byte
}

func newVolumes(runner *podRunner, pod *corev1.Pod) *volumes {
	return &volumes{runner: runner, pod: pod}
}

func (v *volumes) path(name string) string {
	return filepath.Join(v.runner.layout.pod(string(v.pod.UID)), name)
}

// mounts lists FOLDER:MOUNTPATH for each ConfigMap and Secret of the container, and for its service account.
func (v *volumes) mounts(container corev1.Container) []string {
	mounts := []string{v.path("service-account") + ":" + serviceAccountPath}
	for _, mount := range container.VolumeMounts {
		for _, volume := range v.pod.Spec.Volumes {
			if volume.Name == mount.Name && (volume.ConfigMap != nil || volume.Secret != nil) {
				mounts = append(mounts, v.path(volume.Name)+":"+mountTarget(mount.MountPath))
			}
		}
	}
	return mounts
}

// write updates all folders. A ConfigMap or Secret that does not exist is an error, as for a kubelet.
func (v *volumes) write() error {
	if v.token == nil {
		if err := v.writeServiceAccount(); err != nil {
			return err
		}
	}
	core := v.runner.informers.Core().V1()
	for _, volume := range v.pod.Spec.Volumes {
		files := map[string][]byte{}
		switch {
		case volume.ConfigMap != nil:
			object, err := core.ConfigMaps().Lister().ConfigMaps(v.pod.Namespace).Get(volume.ConfigMap.Name)
			if err != nil {
				return err
			}
			for name, text := range object.Data {
				files[name] = []byte(text)
			}
		case volume.Secret != nil:
			object, err := core.Secrets().Lister().Secrets(v.pod.Namespace).Get(volume.Secret.SecretName)
			if err != nil {
				return err
			}
			files = object.Data
		default:
			continue
		}
		if err := v.writeFiles(volume.Name, files); err != nil {
			return err
		}
	}
	return nil
}

func (v *volumes) writeServiceAccount() error {
	seconds := tokenSeconds
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	response, err := v.runner.client.CoreV1().ServiceAccounts(v.pod.Namespace).
		CreateToken(v.runner.ctx, v.pod.Spec.ServiceAccountName, request, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("token of service account %s: %w", v.pod.Spec.ServiceAccountName, err)
	}
	v.token = []byte(response.Status.Token)
	return v.writeFiles("service-account", map[string][]byte{
		"token": v.token, "ca.crt": v.runner.api.CAData, "namespace": []byte(v.pod.Namespace),
	})
}

func (v *volumes) writeFiles(name string, files map[string][]byte) error {
	if err := os.MkdirAll(v.path(name), 0o700); err != nil {
		return err
	}
	writer, err := volumeutil.NewAtomicWriter(v.path(name), name)
	if err != nil {
		return err
	}
	payload := map[string]volumeutil.FileProjection{}
	for name, data := range files {
		payload[name] = volumeutil.FileProjection{Data: data, Mode: 0o600}
	}
	return writer.Write(payload, nil)
}
