import { checkPodSecurity } from "./cluster/podSecurity";
import { warnWithoutGatewayApi } from "./controlPlane/gatewayApi";
import { LinkerdMeshArgs } from "./linkerdMeshArgs";
import { isInjected } from "./mesh/proxySettings";

/**
 * Looks at the cluster before a mesh is deployed to it, in a preview too. Await it before the first resource.
 *
 * @param existing Other namespaces that exist already and get pods that are injected.
 * @throws RunError that names every existing namespace whose pod security refuses injected pods.
 */
export async function checkCluster(args: LinkerdMeshArgs, existing: readonly string[] = []): Promise<void> {
  const { charts = {}, cluster, cniEnabled = false, namespaces = [], values = {} } = args;
  const injected = namespaces
    .filter((namespace) => namespace.existing === true && namespace.podSecurity === undefined)
    .filter(({ inject, workloads = [] }) =>
      [inject, ...workloads.map((workload) => workload.inject)].some(isInjected),
    );
  // Where the CNI plugin does its work, every level of pod security takes injected pods.
  const names = cniEnabled ? [] : [...injected.map(({ name }) => name), ...existing];
  await checkPodSecurity([...new Set(names)]);
  await warnWithoutGatewayApi(charts, cluster, values["linkerd-crds"]);
}
