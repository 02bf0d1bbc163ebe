package supervisor

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

func TestMounts(t *testing.T) {
	pod, config, secret := tapPod()
	runner, _ := newRunner(t, pod, config, secret)
	container := tapContainer
	container.VolumeMounts = append(container.VolumeMounts, corev1.VolumeMount{Name: "scratch", MountPath: "/scratch"})
	folder := func(name string) string { return filepath.Join(runner.layout.pod("u1"), name) }
	want := []string{
		folder("service-account") + ":" + serviceAccountPath,
		folder("config") + ":/var/run/linkerd/config",
		folder("tls") + ":/var/run/volumes/tls",
	}
	if mounts := newVolumes(runner, pod).mounts(container); !slices.Equal(mounts, want) {
		t.Errorf("got %v, want %v", mounts, want)
	}
}

func TestVolumesFollowTheirSources(t *testing.T) {
	pod, config, secret := tapPod()
	runner, _ := newRunner(t, pod, config, secret)
	volumes := newVolumes(runner, pod)
	expect := func(files map[string]string) {
		t.Helper()
		for file, want := range files {
			contents, err := os.ReadFile(volumes.path(file))
			if string(contents) != want {
				t.Errorf("%s has %q (%v), want %q", file, contents, err, want)
			}
		}
	}
	must(t, volumes.write())
	expect(map[string]string{
		"config/values": "some values", "tls/tls.crt": "a certificate",
		"service-account/token": "t0ken", "service-account/ca.crt": "the CA", "service-account/namespace": "linkerd-viz",
	})
	link := func() string {
		target, err := os.Readlink(filepath.Join(volumes.path("tls"), "..data"))
		must(t, err)
		return target
	}
	before := link()
	must(t, volumes.write())
	if link() != before {
		t.Error("a folder was replaced although nothing changed")
	}

	secret = secret.DeepCopy()
	secret.Data = map[string][]byte{"tls.key": []byte("a key")}
	must(t, runner.store(secret))
	must(t, volumes.write())
	expect(map[string]string{"tls/tls.key": "a key"})
	if exists(volumes.path("tls/tls.crt")) {
		t.Error("a key that left the Secret is still a file")
	}
	if link() == before {
		t.Error("the folder was not replaced as a whole")
	}
	info, err := os.Stat(volumes.path("tls/tls.key"))
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("others can read a Secret's file: %s", info.Mode())
	}
}

func TestAMissingSourceIsAnError(t *testing.T) {
	pod, config, _ := tapPod()
	runner, _ := newRunner(t, pod, config)
	if err := newVolumes(runner, pod).write(); !apierrors.IsNotFound(err) {
		t.Errorf("got %v", err)
	}
}
