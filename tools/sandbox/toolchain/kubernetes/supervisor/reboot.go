package supervisor

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// rebootNode clears what the kwok of an earlier run left, before a new one starts. The new kwok would wait for the end of
// the old one's lease on the node, and ignore pods meanwhile. It does not know which addresses the old one gave either, so
// it would give them to new pods a second time: as after the reboot of a node, pods that ran are pending again.
func rebootNode(ctx context.Context, client kubernetes.Interface) error {
	leases := client.CoordinationV1().Leases(corev1.NamespaceNodeLease)
	if err := leases.Delete(ctx, nodeName, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	pods, err := client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, pod := range pods.Items {
		if pod.Status.Phase != corev1.PodRunning {
			continue
		}
		pod.Status = pendingStatus(pod.Status)
		if _, err := client.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, &pod, metav1.UpdateOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// pendingStatus is what remains of the status of a pod that ran on the node.
func pendingStatus(status corev1.PodStatus) corev1.PodStatus {
	scheduled := slices.DeleteFunc(slices.Clone(status.Conditions), func(c corev1.PodCondition) bool {
		return c.Type != corev1.PodScheduled
	})
	return corev1.PodStatus{Phase: corev1.PodPending, QOSClass: status.QOSClass, Conditions: scheduled}
}
