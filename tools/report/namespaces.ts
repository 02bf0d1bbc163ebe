import { isLive, proxyOf } from "../../components/cluster/meshedPods";
import { ownerOf } from "../../components/cluster/podOwner";
import { INJECT_ANNOTATION } from "../../components/mesh/proxySettings";
import { isWanted } from "../verify/injection";
import type { Snapshot } from "../verify/snapshot";

/** Pods by their place. `outside`: they ask for a proxy and have none. `plain`: they ask for none. */
export interface PodCounts {
  readonly meshed: number;
  readonly outside: number;
  readonly plain: number;
}

/** Pods of one owner. */
export interface Workload extends PodCounts {
  /** E.g. `Deployment shop/web`. */
  readonly owner: string;
}

/** A namespace and its pods. */
export interface NamespaceRow extends PodCounts {
  readonly name: string;
  /** Its own annotation, whatever it says. */
  readonly inject?: string;
  readonly workloads: readonly Workload[];
}

/** All namespaces: first those with pods outside the mesh, then by name. Pods that have ended do not count. */
export function namespacesOf({ namespaces, pods }: Snapshot): NamespaceRow[] {
  const workloads = new Map<string, Map<string, Workload>>();
  const byName = new Map(namespaces.map((namespace) => [namespace.metadata?.name ?? "", namespace]));
  for (const pod of pods.filter(isLive)) {
    const name = pod.metadata?.namespace ?? "";
    const place =
      proxyOf(pod) !== undefined ? "meshed" : isWanted(pod, byName.get(name)) ? "outside" : "plain";
    const owners = workloads.get(name) ?? new Map<string, Workload>();
    workloads.set(name, owners);
    const owner = ownerOf(pod);
    const workload = owners.get(owner) ?? { owner, meshed: 0, outside: 0, plain: 0 };
    owners.set(owner, { ...workload, [place]: workload[place] + 1 });
  }
  const rows = [...byName].map(([name, namespace]): NamespaceRow => {
    const own = [...(workloads.get(name)?.values() ?? [])].sort((one, other) =>
      one.owner.localeCompare(other.owner),
    );
    return {
      name,
      inject: namespace.metadata?.annotations?.[INJECT_ANNOTATION],
      workloads: own,
      ...sum(own),
    };
  });
  return rows.sort(
    (one, other) => Number(other.outside > 0) - Number(one.outside > 0) || one.name.localeCompare(other.name),
  );
}

/** All pods of several places. */
export function sum(counts: readonly PodCounts[]): PodCounts {
  const total = (key: keyof PodCounts): number => counts.reduce((before, each) => before + each[key], 0);
  return { meshed: total("meshed"), outside: total("outside"), plain: total("plain") };
}
