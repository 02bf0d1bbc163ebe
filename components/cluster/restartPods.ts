import type { KubernetesObject, KubernetesObjectApi } from "@kubernetes/client-node";

import { Owner } from "./podOwner";

/** The annotation of `kubectl rollout restart`, on the pod template. */
const RESTARTED_AT = "kubectl.kubernetes.io/restartedAt";

/** Has a Deployment, a StatefulSet or a DaemonSet recreate its pods, as `kubectl rollout restart` does. */
export async function restartPods(
  objects: KubernetesObjectApi,
  { kind, namespace, name }: Owner,
): Promise<void> {
  const annotations = { [RESTARTED_AT]: new Date().toISOString() };
  await objects.patch({
    apiVersion: "apps/v1",
    kind,
    metadata: { namespace, name },
    spec: { template: { metadata: { annotations } } },
  } as KubernetesObject);
}
