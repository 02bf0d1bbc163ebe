import type { KubernetesObject, V1OwnerReference } from "@kubernetes/client-node";

import type { TestSandbox } from "./testSandbox";

/** Namespace of workloads that no stack deployed. */
export const OTHERS = "others";

/** Name of a pod of nobody there, which nothing would recreate. */
export const ALONE = "alone";

/** What of them can be rolled, as messages name them, each with the number of its pods. */
export const ROLLED: Readonly<Record<string, number>> = {
  "DaemonSet others/agent": 1,
  "Deployment others/api": 2,
  "ReplicaSet others/bare": 2,
  "StatefulSet others/db": 2,
  "StatefulSet others/operated": 2,
};

const workload = (kind: string, name: string, spec: object, owner?: V1OwnerReference): KubernetesObject => {
  const labels = { app: name };
  const template = {
    metadata: { labels },
    spec: { containers: [{ name, image: `${name}:1` }], terminationGracePeriodSeconds: 0 },
  };
  return {
    apiVersion: "apps/v1",
    kind,
    metadata: { namespace: OTHERS, name, ...(owner && { ownerReferences: [owner] }) },
    spec: { selector: { matchLabels: labels }, template, ...spec },
  } as KubernetesObject;
};

/**
 * Deploys a meshed namespace with a workload of each sort, as other tools do: a Deployment, a StatefulSet, one of an
 * operator, a DaemonSet that replaces nothing by itself, a ReplicaSet with a disruption budget, and a pod of nobody.
 */
export async function deployOthers(sandbox: TestSandbox): Promise<void> {
  const objects = sandbox.objects();
  const metadata = { name: OTHERS, annotations: { "linkerd.io/inject": "enabled" } };
  await objects.create({ apiVersion: "v1", kind: "Namespace", metadata });
  const operator: KubernetesObject = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace: OTHERS, name: "operator" },
  };
  const { metadata: made } = await objects.create(operator);
  const owner: V1OwnerReference = {
    ...{ apiVersion: "v1", kind: "ConfigMap", name: "operator", uid: made?.uid ?? "" },
    controller: true,
  };
  for (const object of [
    workload("Deployment", "api", { replicas: 2 }),
    workload("StatefulSet", "db", { replicas: 2, serviceName: "db" }),
    workload("StatefulSet", "operated", { replicas: 2, serviceName: "operated" }, owner),
    workload("DaemonSet", "agent", { updateStrategy: { type: "OnDelete" } }),
    workload("ReplicaSet", "bare", { replicas: 2 }),
  ]) {
    await objects.create(object);
  }
  await sandbox.createPod({
    metadata: { namespace: OTHERS, name: ALONE },
    spec: { containers: [{ name: "alone", image: "alone:1" }] },
  });
  await setBudget(sandbox, 2);
}

/** How many pods of the ReplicaSet must be available, of two. */
export async function setBudget(sandbox: TestSandbox, minAvailable: number): Promise<void> {
  const metadata = { namespace: OTHERS, name: "bare" };
  const spec = { minAvailable, selector: { matchLabels: { app: "bare" } } };
  const budget = { apiVersion: "policy/v1", kind: "PodDisruptionBudget", metadata, spec };
  const objects = sandbox.objects();
  await objects.create(budget).catch(() => objects.patch(budget));
}
