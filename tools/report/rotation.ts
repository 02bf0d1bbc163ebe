import { isLive, proxyOf, rolledBy, type RolledBy } from "../../components/cluster/meshedPods";
import { ownerOf } from "../../components/cluster/podOwner";
import { restart } from "../../components/pki/podTrust";
import type { Snapshot } from "../verify/snapshot";

/** A workload whose pods a new trust bundle recreates. */
export interface RotationRow {
  readonly owner: string;
  readonly pods: number;
  readonly rolledBy: RolledBy;
  /** What its owner runs. Of `others` only. */
  readonly command?: string;
}

/** The meshed workloads, by who rolls them. */
export function rotationOf({ pods }: Snapshot): RotationRow[] {
  const rows = new Map<string, RotationRow>();
  for (const pod of pods.filter((each) => isLive(each) && proxyOf(each) !== undefined)) {
    const owner = ownerOf(pod);
    const by = rolledBy(pod);
    const row = rows.get(owner) ?? {
      owner,
      pods: 0,
      rolledBy: by,
      ...(by === "others" && { command: restart(owner) }),
    };
    rows.set(owner, { ...row, pods: row.pods + 1 });
  }
  return [...rows.values()].sort((one, other) => one.owner.localeCompare(other.owner));
}
