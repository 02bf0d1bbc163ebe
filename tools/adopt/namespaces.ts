import type * as client from "@kubernetes/client-node";

import { type ClusterAccess, connect } from "../../components/cluster/client";
import { isKubernetesNamespace, LINKERD_NAMESPACE, VIZ_NAMESPACE } from "../../components/rules";
import { deployerOf, gitOpsOf } from "./owner";
import type { PresentNamespace } from "./present";

const INJECT = "linkerd.io/inject";
const INJECTED: readonly (string | undefined)[] = ["enabled", "ingress"];

/** A workload, as far as it matters here. */
type Workload = Pick<client.V1Deployment, "metadata"> & {
  readonly spec?: { readonly template?: client.V1PodTemplateSpec };
};

/** What was found of injection. */
export interface Injected {
  readonly namespaces: readonly PresentNamespace[];
  /** GitOps tools that deploy Linkerd itself, in words. */
  readonly linkerdGitOps: readonly string[];
}

/** Namespaces whose pods are injected, by their own annotation or that of a workload, without Linkerd's own. */
export async function readInjected(
  access: ClusterAccess,
  namespaces: readonly client.V1Namespace[],
  timeoutMs: number,
): Promise<Injected> {
  const [apps, batch] = await Promise.all([
    connect(access, (k8s) => k8s.AppsV1Api, timeoutMs),
    connect(access, (k8s) => k8s.BatchV1Api, timeoutMs),
  ]);
  const lists = await Promise.all([
    apps.listDeploymentForAllNamespaces(),
    apps.listStatefulSetForAllNamespaces(),
    apps.listDaemonSetForAllNamespaces(),
    batch.listCronJobForAllNamespaces().then(({ items }) => ({
      items: items.map(({ metadata, spec }) => ({ metadata, spec: spec?.jobTemplate.spec })),
    })),
  ]);
  const workloads = lists.flatMap(({ items }): readonly Workload[] => items);
  const found = namespaces.flatMap(({ metadata = {} }): PresentNamespace[] => {
    const { name = "", annotations = {}, labels = {} } = metadata;
    const own = workloads.filter((workload) => workload.metadata?.namespace === name);
    const inject = annotations[INJECT];
    const injects = [inject, ...own.map(({ spec }) => spec?.template?.metadata?.annotations?.[INJECT])];
    if (isLinkerds(name, labels) || !injects.some((value) => INJECTED.includes(value))) return [];
    const deployers = [...new Set(own.map((workload) => deployerOf(workload.metadata ?? {})))].sort();
    return [{ name, ...(inject !== undefined && { inject }), deployers }];
  });
  const linkerds = workloads.filter(({ metadata }) => metadata?.namespace === LINKERD_NAMESPACE);
  const linkerdGitOps = linkerds.flatMap(({ metadata }) => gitOpsOf(metadata ?? {}) ?? []);
  return { namespaces: found, linkerdGitOps: [...new Set(linkerdGitOps)] };
}

function isLinkerds(name: string, labels: Readonly<Record<string, string>>): boolean {
  return (
    name === LINKERD_NAMESPACE ||
    name === VIZ_NAMESPACE ||
    labels["linkerd.io/extension"] !== undefined ||
    (isKubernetesNamespace(name) && name === "kube-system")
  );
}
