import type { CoreV1Api, V1Pod } from "@kubernetes/client-node";

import { isLive, proxyOf, TRUST_ANCHORS_VARIABLE, variable } from "../cluster/meshedPods";
import { ownerOf, parseOwner } from "../cluster/podOwner";
import { fingerprints, isSameSet } from "../pki/deployedTrust";

/** The pods of one owner at one moment. */
export interface OwnedPods {
  /** Those that run or will. */
  readonly live: readonly V1Pod[];
  /** Those of them that were created with another trust bundle; not ready ones first, which serve nobody. */
  readonly stale: readonly V1Pod[];
  /** Names of those that start or end. */
  readonly moving: readonly string[];
}

/** Reads the pods of an owner. `bundle`: fingerprints of the anchors that they must have. */
export async function readOwnedPods(
  core: CoreV1Api,
  owner: string,
  bundle: ReadonlySet<string>,
): Promise<OwnedPods> {
  const { namespace } = parseOwner(owner);
  const { items } = await core.listNamespacedPod({ namespace });
  const pods = items.filter((pod) => ownerOf(pod) === owner);
  const live = pods.filter(isLive);
  const stale = live.filter((pod) => hasOtherTrust(pod, bundle));
  return {
    live,
    stale: stale.toSorted((one, other) => Number(isReady(one)) - Number(isReady(other))),
    moving: pods
      .filter((pod) => !["Succeeded", "Failed"].includes(pod.status?.phase ?? ""))
      .filter((pod) => !isLive(pod) || (!isReady(pod) && !stale.includes(pod)))
      .map(nameOf),
  };
}

/** Name of a pod. */
export function nameOf({ metadata }: V1Pod): string {
  return metadata?.name ?? "?";
}

function hasOtherTrust(pod: V1Pod, bundle: ReadonlySet<string>): boolean {
  const proxy = proxyOf(pod);
  const pem = proxy && variable(proxy, TRUST_ANCHORS_VARIABLE);
  return pem !== undefined && !isSameSet(fingerprints(pem), bundle);
}

function isReady({ status }: V1Pod): boolean {
  return (status?.conditions ?? []).some(({ type, status }) => type === "Ready" && status === "True");
}
