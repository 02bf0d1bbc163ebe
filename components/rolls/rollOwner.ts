import type { CoreV1Api, V1Pod } from "@kubernetes/client-node";

import { ClusterAccess, connect, describeError } from "../cluster/client";
import { Owner, parseOwner } from "../cluster/podOwner";
import { Interruption, Verdict, wait, Waited } from "../cluster/waiting";
import { nameOf, OwnedPods, readOwnedPods } from "./ownedPods";
import { readTemplate } from "./templates";

/** What rolling one owner's pods needs. */
export interface RollOwnerArgs {
  /** E.g. `Deployment shop/web`. */
  readonly owner: string;
  /** Fingerprints of the anchors that each pod must have. */
  readonly bundle: ReadonlySet<string>;
  readonly deadlineSeconds: number;
  readonly cluster: ClusterAccess;
  readonly log: (line: string) => void;
  readonly interruption: () => Interruption;
}

/** Kinds whose pods end by themselves, or come back from nowhere: they are never rolled. */
const NOT_ROLLED = ["Pod", "Job", "CronJob"];

/** Pods of Strimzi, whose operator rolls each one with this annotation when Kafka allows it (Strimzi's documentation). */
const STRIMZI = "StrimziPodSet";
const STRIMZI_ROLL = { "strimzi.io/manual-rolling-update": "true" };

/** Whether the pods of an owner can be recreated. */
export function isRollable(owner: string): boolean {
  return !NOT_ROLLED.includes(parseOwner(owner).kind);
}

/**
 * Recreates the pods of one owner that lack the bundle, and no others, and waits until all are ready: by a restart
 * of its template, or, one after the other, by Strimzi's annotation or by an eviction, which respects disruption budgets.
 *
 * @throws Error at the deadline, and when interrupted.
 */
export async function rollOwner(args: RollOwnerArgs): Promise<Waited> {
  const { owner, bundle, cluster, deadlineSeconds, log, interruption } = args;
  const parsed = parseOwner(owner);
  const progress: Progress = { restarted: false, pods: 0 };
  const attempt = async (timeoutMs: number): Promise<Verdict> => {
    try {
      const core = await connect(cluster, ({ CoreV1Api }) => CoreV1Api, timeoutMs);
      const objects = await connect(cluster, ({ KubernetesObjectApi }) => KubernetesObjectApi, timeoutMs);
      const template = await readTemplate(objects, parsed);
      // A roll-out that is under way may be ours, from before an interruption.
      if (template?.blocked !== undefined) {
        return { done: false, state: template.blocked, final: true };
      }
      if (template?.rolling !== undefined) {
        return { done: false, state: template.rolling };
      }
      const pods = await readOwnedPods(core, owner, bundle);
      if (template === undefined) {
        return await replaceOne(core, parsed, pods, progress);
      }
      if (pods.stale.length === 0 || progress.restarted) {
        return { done: true };
      }
      await template.restart();
      progress.restarted = true;
      return { done: false, state: "restarted" };
    } catch (error) {
      const { status, message } = describeError(error);
      // What was deleted meanwhile has no pods that stay.
      return status === 404
        ? { done: true }
        : { done: false, state: message, final: status === 401 || status === 403 };
    }
  };
  const explain = (state: string, effort: string): Promise<string> =>
    Promise.resolve(`${owner} does not have the trust bundle in all its pods ${effort}: ${state}`);
  return wait({
    deadlineSeconds,
    attempt,
    explain,
    interruption,
    log: (line) => {
      log(`${owner}: ${line}`);
    },
  });
}

interface Progress {
  restarted: boolean;
  /** The most pods that it had. */
  pods: number;
}

/** Replaces the next pod, once the one before it is there again. */
async function replaceOne(
  core: CoreV1Api,
  { kind, namespace }: Owner,
  { live, stale, moving }: OwnedPods,
  progress: Progress,
): Promise<Verdict> {
  progress.pods = Math.max(progress.pods, live.length);
  if (moving.length > 0 || live.length < progress.pods) {
    return { done: false, state: `waits for ${moving.join(", ") || "the next pod"}` };
  }
  const [next] = stale;
  if (next === undefined) {
    return { done: true };
  }
  const name = nameOf(next);
  if (kind === STRIMZI) {
    return annotate(core, namespace, stale);
  }
  try {
    await core.createNamespacedPodEviction({
      namespace,
      name,
      // Not a pod of the same name that has come since.
      body: { metadata: { namespace, name }, deleteOptions: { preconditions: { uid: next.metadata?.uid } } },
    });
    return { done: false, state: `evicted ${name}` };
  } catch (error) {
    const { status, message } = describeError(error);
    if (status === 429) {
      return { done: false, state: `${name} is not evicted: ${message}` };
    }
    if (status === 404 || status === 409) {
      return { done: false, state: `${name} is gone` };
    }
    throw error;
  }
}

async function annotate(core: CoreV1Api, namespace: string, pods: readonly V1Pod[]): Promise<Verdict> {
  const { PatchStrategy, setHeaderOptions } = await import("@kubernetes/client-node");
  for (const pod of pods) {
    await core.patchNamespacedPod(
      { namespace, name: nameOf(pod), body: { metadata: { annotations: STRIMZI_ROLL } } },
      setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
    );
  }
  return { done: false, state: `waits for Strimzi to roll ${pods.map(nameOf).join(", ")}` };
}
