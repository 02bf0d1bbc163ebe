import type { CoreV1Api as Api, V1Pod } from "@kubernetes/client-node";
import { UserError } from "../shared/errors";
import { isWanted } from "../verify/injection";
import { proxyOf } from "../../components/cluster/meshedPods";
import type { Target } from "./target";

/** Pods outside the mesh that are named one by one; a whole cluster of them is not. */
const NAMED = 20;

/** The living pods that want a proxy, of Linkerd's extensions too; its control plane has its own ways. */
async function wantedPods(api: Api): Promise<V1Pod[]> {
  const namespaces = new Map(
    (await api.listNamespace()).items.map((namespace) => [namespace.metadata?.name, namespace]),
  );
  const { items } = await api.listPodForAllNamespaces();
  return items.filter(
    (pod) =>
      pod.metadata?.deletionTimestamp === undefined &&
      pod.spec?.hostNetwork !== true &&
      pod.metadata?.labels?.["linkerd.io/control-plane-component"] === undefined &&
      isWanted(pod, namespaces.get(pod.metadata?.namespace)),
  );
}

async function connect({ cluster }: Target): Promise<Api> {
  const { CoreV1Api, KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  if (cluster.kubeconfig === undefined) config.loadFromDefault();
  else config.loadFromFile(cluster.kubeconfig);
  if (cluster.context !== undefined) config.setCurrentContext(cluster.context);
  return config.makeApiClient(CoreV1Api);
}

/**
 * Prints, for each namespace, how many of the pods that want a proxy have one, and how to look at them.
 *
 * @throws UserError when a pod is outside the mesh.
 */
export async function reportMesh(target: Target): Promise<void> {
  const api = await connect(target);
  if (target.cluster.kubeconfig !== undefined) console.log(`\nkubeconfig: ${target.cluster.kubeconfig}`);
  const pods = await wantedPods(api);
  if (pods.length === 0) {
    console.log(`The mesh is up; no pod asks for a proxy yet.\n  ${target.kubectl} -n linkerd get pods`);
    return;
  }

  const byNamespace = new Map<string, V1Pod[]>();
  for (const pod of pods) {
    const namespace = pod.metadata?.namespace ?? "";
    byNamespace.set(namespace, [...(byNamespace.get(namespace) ?? []), pod]);
  }
  console.log("\nPods in the mesh:");
  for (const [namespace, members] of byNamespace) {
    console.log(`  ${members.filter(proxyOf).length} of ${members.length}  ${namespace}`);
  }
  const unmeshed = pods.filter((pod) => proxyOf(pod) === undefined);
  for (const { metadata, status } of unmeshed.slice(0, NAMED)) {
    console.log(
      `UNMESHED  ${status?.phase ?? "Unknown"}  ${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`,
    );
  }
  const columns =
    "NAMESPACE:.metadata.namespace,POD:.metadata.name,PHASE:.status.phase," +
    "INIT:.spec.initContainers[*].name,CONTAINERS:.spec.containers[*].name";
  console.log(`\nSee for yourself:\n  ${target.kubectl} get pods -A -o custom-columns='${columns}'`);
  if (unmeshed.length > 0) {
    throw new UserError(
      `${unmeshed.length} of ${pods.length} pods are outside the mesh`,
      `${target.kubectl} get events -A --field-selector type=Warning`,
    );
  }
  console.log(`\nAll ${pods.length} pods are in the mesh.`);
}
