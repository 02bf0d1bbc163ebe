import type { V1Pod } from "@kubernetes/client-node";

import { ownerOf } from "../../components/cluster/podOwner";

/** A pod, and what was found. */
export type Found = readonly [pod: V1Pod, reason: string];

/** One line for each owner and reason, with the number of its pods, in alphabetical order. */
export function byOwner(found: readonly Found[]): string[] {
  const counts = new Map<string, { readonly owner: string; readonly reason: string; pods: number }>();
  for (const [pod, reason] of found) {
    const owner = ownerOf(pod);
    const entry = counts.get(`${owner} ${reason}`) ?? { owner, reason, pods: 0 };
    entry.pods++;
    counts.set(`${owner} ${reason}`, entry);
  }
  return [...counts.values()]
    .map(({ owner, reason, pods }) =>
      owner.startsWith("Pod ")
        ? `${owner}: ${reason}`
        : `${owner} (${pods} ${pods === 1 ? "pod" : "pods"}): ${reason}`,
    )
    .sort();
}
