import type { V1Pod } from "@kubernetes/client-node";

const TEMPLATE_HASH = "pod-template-hash";

/** A CronJob names its Jobs after the minute that they are for. */
const CRON_JOB = /^(.+)-\d{8,}$/;

/** What to roll to get the pod anew, e.g. `Deployment shop/web`: by its names alone, without a request for each pod. */
export function ownerOf({ metadata = {} }: V1Pod): string {
  const { namespace = "", name = "", labels = {}, ownerReferences = [] } = metadata;
  const owner = ownerReferences.find(({ controller }) => controller === true);
  if (owner === undefined) {
    return `Pod ${namespace}/${name}`;
  }
  const hash = `-${labels[TEMPLATE_HASH] ?? ""}`;
  if (owner.kind === "ReplicaSet" && hash !== "-" && owner.name.endsWith(hash)) {
    return `Deployment ${namespace}/${owner.name.slice(0, -hash.length)}`;
  }
  const [, cronJob] = owner.kind === "Job" ? (CRON_JOB.exec(owner.name) ?? []) : [];
  return cronJob === undefined
    ? `${owner.kind} ${namespace}/${owner.name}`
    : `CronJob ${namespace}/${cronJob}`;
}

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
