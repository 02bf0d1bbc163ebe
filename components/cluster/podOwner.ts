import type { V1Pod } from "@kubernetes/client-node";

const TEMPLATE_HASH = "pod-template-hash";

/** A CronJob names its Jobs after the minute that they are for. */
const CRON_JOB = /^(.+)-\d{8,}$/;

/** What to roll to have the pod recreated, e.g. `Deployment shop/web`: by its names alone, without a request for each pod. */
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

/** An owner of pods, from what `ownerOf` says of it. */
export interface Owner {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Reads `Deployment shop/web`. */
export function parseOwner(owner: string): Owner {
  const [, kind = "", namespace = "", name = ""] = /^(\S+) (.*)\/(.*)$/.exec(owner) ?? [];
  return { kind, namespace, name };
}
