import { isLive, proxyOf, TRUST_BUNDLE_ANNOTATION } from "../../components/cluster/meshedPods";
import { ownerOf } from "../../components/cluster/podOwner";
import { TRUST_BUNDLE_LABEL } from "../../components/extensions/vizValues";
import { restart } from "../../components/pki/podTrust";
import type { Snapshot } from "../verify/snapshot";

/** Label of the control plane's pods. */
const COMPONENT_LABEL = "linkerd.io/control-plane-component";

/** Who recreates pods when the trust bundle changes. */
export type RolledBy = "control plane" | "stack" | "others";

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
    const { labels = {}, annotations = {} } = pod.metadata ?? {};
    const owner = ownerOf(pod);
    const rolledBy: RolledBy =
      COMPONENT_LABEL in labels
        ? "control plane"
        : TRUST_BUNDLE_ANNOTATION in annotations || TRUST_BUNDLE_LABEL in labels
          ? "stack"
          : "others";
    const row = rows.get(owner) ?? {
      owner,
      pods: 0,
      rolledBy,
      ...(rolledBy === "others" && { command: restart(owner) }),
    };
    rows.set(owner, { ...row, pods: row.pods + 1 });
  }
  return [...rows.values()].sort((one, other) => one.owner.localeCompare(other.owner));
}
