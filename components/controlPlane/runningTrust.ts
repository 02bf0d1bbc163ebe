import type { CoreV1Api, V1Pod, V1Secret } from "@kubernetes/client-node";
import * as pulumi from "@pulumi/pulumi";

import { ClusterAccess, connect, describeError } from "../cluster/client";
import { isLive, proxyOf, rolledBy, TRUST_ANCHORS_VARIABLE, variable } from "../cluster/meshedPods";
import { ownerOf } from "../cluster/podOwner";
import { fingerprints } from "../pki/deployedTrust";
import { IDENTITY_ISSUER_SECRET, TRUST_ANCHOR_SECRET } from "../pki/identityIssuer";
import { MeshedPod, RunningTrust } from "../pki/runningTrust";
import { LINKERD_NAMESPACE } from "./linkerdNamespace";

/** On all pods with a proxy, from the injector and from Linkerd's charts. */
const MESHED = "linkerd.io/control-plane-ns";

/** On a Secret that cert-manager writes. */
const CERTIFICATE_NAME = "cert-manager.io/certificate-name";

/** Pods in one answer; a large cluster has more than an API server likes to give at once. */
const PAGE = 500;

/** How long to wait for each answer. */
const TIMEOUT_MS = 15_000;

/**
 * Reads from the cluster what its meshed pods trust. `lifetimeSeconds`: of the certificates that identity issues.
 *
 * @throws RunError where there is no answer, or the deploying user must not read it.
 */
export async function readRunningTrust(
  cluster: ClusterAccess,
  lifetimeSeconds: number,
): Promise<RunningTrust> {
  const namespace = LINKERD_NAMESPACE;
  try {
    const core = await connect(cluster, ({ CoreV1Api }) => CoreV1Api, TIMEOUT_MS);
    const [pods, secrets, events] = await Promise.all([
      readMeshedPods(core),
      core.listNamespacedSecret({ namespace, fieldSelector: "type=kubernetes.io/tls" }),
      core.listNamespacedEvent({ namespace, fieldSelector: "reason=IssuerUpdated" }),
    ]);
    const secret = (wanted: string): V1Secret | undefined =>
      secrets.items.find(({ metadata }) => metadata?.name === wanted);
    const times = events.items.flatMap(({ lastTimestamp, eventTime, firstTimestamp }) => [
      lastTimestamp ?? eventTime ?? firstTimestamp,
    ]);
    return {
      pods,
      lifetimeSeconds,
      // cert-manager renews its issuers under the same anchor, which has a Secret of its own.
      signedSince: written(secret(TRUST_ANCHOR_SECRET) ?? unlessRenewed(secret(IDENTITY_ISSUER_SECRET))),
      issuerUpdated: latest(times),
    };
  } catch (error) {
    throw new pulumi.RunError(
      `it cannot be read whether running pods trust the new issuer: ${describeError(error).message}\n` +
        `    the deploying user must be allowed to list pods of all namespaces and, in namespace ${namespace}, secrets and events`,
    );
  }
}

/** Reads every pod with a proxy that runs or will, whoever deployed it. */
export async function readMeshedPods(core: CoreV1Api): Promise<MeshedPod[]> {
  const pods: V1Pod[] = [];
  let _continue: string | undefined;
  do {
    const page = await core.listPodForAllNamespaces({ labelSelector: MESHED, limit: PAGE, _continue });
    pods.push(...page.items);
    _continue = page.metadata?._continue;
  } while (_continue !== undefined && _continue !== "");
  return pods.filter(isLive).flatMap(meshedPod);
}

function meshedPod(pod: V1Pod): MeshedPod[] {
  const proxy = proxyOf(pod);
  if (proxy === undefined) {
    return [];
  }
  const pem = variable(proxy, TRUST_ANCHORS_VARIABLE);
  return [
    {
      owner: ownerOf(pod),
      created: pod.metadata?.creationTimestamp ?? new Date(0),
      rolledBy: rolledBy(pod),
      ...(pem !== undefined && {
        anchors: fingerprints(pem),
      }),
    },
  ];
}

function unlessRenewed(secret: V1Secret | undefined): V1Secret | undefined {
  return secret?.metadata?.annotations?.[CERTIFICATE_NAME] === undefined ? secret : undefined;
}

/** When its data was last written. */
export function written(secret: V1Secret | undefined): Date | undefined {
  const fields = secret?.metadata?.managedFields ?? [];
  return latest(
    fields.map(({ fieldsV1, time }) => (fieldsV1 !== undefined && "f:data" in fieldsV1 ? time : undefined)),
  );
}

/** The last of these times. */
export function latest(times: readonly (Date | undefined)[]): Date | undefined {
  return times.reduce<Date | undefined>(
    (last, time) => (time !== undefined && (last === undefined || time > last) ? time : last),
    undefined,
  );
}
