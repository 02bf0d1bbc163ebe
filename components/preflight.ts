import { claimsOf } from "./claims";
import { checkForeignObjects } from "./cluster/foreignObjects";
import { checkPodSecurity } from "./cluster/podSecurity";
import { requireSameCluster } from "./cluster/sameCluster";
import { DeployedMesh, readDeployedMesh } from "./controlPlane/deployedMesh";
import { readDeployedWebhooks } from "./controlPlane/deployedWebhooks";
import { refuseDowngrade } from "./controlPlane/downgrade";
import { warnOfRelease } from "./controlPlane/releaseNotes";
import { checkGatewayApi } from "./controlPlane/gatewayApi";
import { LinkerdMeshArgs } from "./linkerdMeshArgs";
import { isInjected } from "./mesh/proxySettings";
import { checkPrometheusRules } from "./monitoring/prometheusRuleApi";
import { refuseTrustDomain } from "./pki/trustChange";
import { plannedTrust } from "./plannedTrust";

/** Namespaces that a program uses beside those of its mesh. */
export interface OtherNamespaces {
  /** It creates these. Default: none. */
  readonly created?: readonly string[];
  /** These exist already and get pods that are injected. Default: none. */
  readonly existing?: readonly string[];
}

/**
 * Looks at the cluster before a mesh is deployed to it, in a preview too. Await it before the first resource.
 *
 * @returns What the cluster has of Linkerd, for the argument `deployed` of the mesh.
 * @throws RunError where the release requires the Gateway API, or `monitoring` the Prometheus operator, and the cluster has
 *   none, that names every object of others that the mesh would take over, or every existing namespace whose pod security
 *   refuses injected pods, or refuses a change that would cut the traffic of the mesh on the cluster.
 */
export async function checkCluster(
  args: LinkerdMeshArgs,
  { created = [], existing = [] }: OtherNamespaces = {},
): Promise<DeployedMesh | undefined> {
  const { charts = {}, cluster, cniEnabled = false, namespaces = [], values = {} } = args;
  const injected = namespaces
    .filter((namespace) => namespace.existing === true && namespace.podSecurity === undefined)
    .filter(({ inject, workloads = [] }) =>
      [inject, ...workloads.map((workload) => workload.inject)].some(isInjected),
    );
  // Where the CNI plugin does its work, every level of pod security takes injected pods.
  const names = cniEnabled ? [] : [...injected.map(({ name }) => name), ...existing];
  const [deployed] = await Promise.all([
    readDeployedMesh(cluster),
    checkGatewayApi(charts, cluster, values["linkerd-crds"]),
    args.monitoring && checkPrometheusRules(cluster),
  ]);
  await checkForeignObjects(claimsOf(args, created), cluster);
  await checkPodSecurity([...new Set(names)]);
  // It records the cluster, which must not be one that was refused.
  await requireSameCluster(deployed?.clusterUid);
  if (deployed !== undefined) {
    await refuseDowngrade(deployed.linkerdVersion, charts, args.acceptOutage);
    refuseTrustDomain(deployed, plannedTrust(args));
  }
  await warnOfRelease(deployed?.linkerdVersion, charts);
  return (
    deployed && {
      ...deployed,
      readWebhooks: once(() => readDeployedWebhooks(cluster, args.viz !== undefined)),
    }
  );
}

/** A deployment that changes the CAs of one namespace after the other compares with what was there before. */
function once<T>(read: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => (answer ??= read());
}
