import type { V1Pod } from "@kubernetes/client-node";
import { setTimeout as sleep } from "node:timers/promises";
import type { Target } from "./target";
import { UserError } from "./errors";

const PROXY = "linkerd-proxy";

/** Pods of Deployments come within moments of them; Pulumi has awaited each Deployment already. */
const PATIENCE_SECONDS = 10;

function isMeshed(pod: V1Pod): boolean {
  const { containers = [], initContainers = [] } = pod.spec ?? {};
  return [...containers, ...initContainers].some(({ name }) => name === PROXY);
}

/** The living pods of the namespaces. */
async function podsOf(target: Target, namespaces: readonly string[]): Promise<V1Pod[]> {
  const { CoreV1Api, KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  if (target.cluster.kubeconfig === undefined) config.loadFromDefault();
  else config.loadFromFile(target.cluster.kubeconfig);
  if (target.cluster.context !== undefined) config.setCurrentContext(target.cluster.context);
  const api = config.makeApiClient(CoreV1Api);
  const lists = await Promise.all(namespaces.map((namespace) => api.listNamespacedPod({ namespace })));
  return lists
    .flatMap(({ items }) => items)
    .filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
}

/**
 * Prints each pod of the meshed namespaces and how to look at them.
 *
 * @throws UserError when a pod is outside the mesh.
 */
export async function reportMesh(target: Target, namespaces: readonly string[] = []): Promise<void> {
  const kubeconfig = target.cluster.kubeconfig;
  if (kubeconfig !== undefined) console.log(`\nkubeconfig: ${kubeconfig}`);
  if (namespaces.length === 0) {
    console.log(`The mesh is up; the stack has no application.\n  ${target.kubectl} -n linkerd get pods`);
    return;
  }
  let pods = await podsOf(target, namespaces);
  for (let second = 0; second < PATIENCE_SECONDS && pods.length === 0; second++) {
    await sleep(1000);
    pods = await podsOf(target, namespaces);
  }
  console.log("");
  for (const pod of pods) {
    const name = `${pod.metadata?.namespace ?? ""}/${pod.metadata?.name ?? ""}`;
    console.log(`${isMeshed(pod) ? "meshed  " : "UNMESHED"}  ${pod.status?.phase ?? "Unknown"}  ${name}`);
  }
  const unmeshed = pods.filter((pod) => !isMeshed(pod)).length;
  const columns =
    "POD:.metadata.name,PHASE:.status.phase,INIT:.spec.initContainers[*].name,CONTAINERS:.spec.containers[*].name";
  console.log(`\nSee for yourself:`);
  for (const namespace of namespaces) {
    console.log(`  ${target.kubectl} -n ${namespace} get pods -o custom-columns='${columns}'`);
  }
  if (pods.length === 0 || unmeshed > 0) {
    throw new UserError(
      pods.length === 0
        ? "no pod of the applications exists yet"
        : `${unmeshed} of ${pods.length} pods are outside the mesh`,
      `${target.kubectl} get events -A --field-selector type=Warning`,
    );
  }
  console.log(`\nAll ${pods.length} pods are in the mesh.`);
}
