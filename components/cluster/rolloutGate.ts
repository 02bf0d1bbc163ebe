import type { V1Deployment, V1Pod } from "@kubernetes/client-node";
import * as pulumi from "@pulumi/pulumi";
import type * as random from "@pulumi/random";

import { ClusterAccess, connect, describeError } from "./client";
import { clusterHook, gate } from "./hook";
import { Verdict, wait } from "./waiting";

/** Arguments of a {@link rolloutGate}. */
export interface RolloutGateArgs {
  /** Namespace of the Deployments. */
  readonly namespace: pulumi.Input<string>;
  /** Label selector of the Deployments, and of their pods. */
  readonly selector: string;
  /** Changes with what is rolled out; the gate then waits again. Stored in the state: nothing secret. */
  readonly digest: pulumi.Input<string>;
  /** How long to wait, in seconds. */
  readonly deadlineSeconds: number;
  /** The cluster to ask, the same as the Kubernetes provider's. */
  readonly cluster: ClusterAccess;
}

/**
 * Opens when Deployments are rolled out, as `kubectl rollout status` has it: all pods are of the newest template and
 * available, and older ones are gone. It replaces Helm's wait, which looks every two seconds only, is content while older
 * pods still run, and says nothing of the pods when it gives up. Name the release in `dependsOn`.
 */
export function rolloutGate(
  name: string,
  args: RolloutGateArgs,
  opts: pulumi.CustomResourceOptions,
): random.RandomId {
  const { selector, deadlineSeconds, cluster } = args;
  const hook = clusterHook<{ keepers: { namespace: string } }>(name, ({ newInputs: { keepers } }) =>
    untilRolledOut({ namespace: keepers.namespace, selector, deadlineSeconds, cluster }),
  );
  const keepers = { namespace: args.namespace, selector, digest: args.digest };
  return gate(name, hook, keepers, opts);
}

/** Time between two looks: what a roll-out takes is on the critical path of every deployment from nothing. */
const INTERVAL_MS = 250;

interface Rollout extends Pick<RolloutGateArgs, "selector" | "deadlineSeconds" | "cluster"> {
  readonly namespace: string;
}

async function untilRolledOut({ namespace, selector, deadlineSeconds, cluster }: Rollout): Promise<void> {
  const attempt = async (timeoutMs: number): Promise<Verdict> => {
    try {
      const api = await connect(cluster, ({ AppsV1Api }) => AppsV1Api, timeoutMs);
      const { items } = await api.listNamespacedDeployment({ namespace, labelSelector: selector });
      const unfinished = items.filter((deployment) => !isRolledOut(deployment));
      return items.length > 0 && unfinished.length === 0
        ? { done: true }
        : { done: false, state: unfinished.map(describeDeployment).join("; ") || "no Deployment found" };
    } catch (error) {
      const { status, message } = describeError(error);
      return { done: false, state: message, final: status === 401 || status === 403 };
    }
  };
  const explain = async (state: string, effort: string): Promise<string> =>
    [
      `Deployments in namespace ${namespace} are not rolled out ${effort}: ${state}`,
      ...(await describePods(namespace, selector, cluster)),
      "look at:",
      `  kubectl -n ${namespace} describe pods -l ${selector}`,
      `  kubectl -n ${namespace} get events --sort-by=.lastTimestamp`,
    ].join("\n  ");
  await wait({ deadlineSeconds, maxIntervalMs: INTERVAL_MS, attempt, explain });
}

function isRolledOut({ metadata, spec, status }: V1Deployment): boolean {
  const { replicas: wanted = 1 } = spec ?? {};
  const { observedGeneration = 0, replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status ?? {};
  return (
    observedGeneration >= (metadata?.generation ?? 0) &&
    [replicas, updatedReplicas, availableReplicas].every((count) => count === wanted)
  );
}

function describeDeployment({ metadata, spec, status }: V1Deployment): string {
  const { availableReplicas = 0, updatedReplicas = 0, replicas = 0 } = status ?? {};
  const older = replicas - updatedReplicas;
  return [
    `${metadata?.name ?? "?"} has ${availableReplicas} of ${spec?.replicas ?? 1} pods available`,
    ...(older > 0 ? [`${older} of an older template`] : []),
  ].join(", ");
}

/** How long to look at the pods, for the message of a failure. */
const DIAGNOSIS_TIMEOUT_MS = 5_000;

/** The pods that are not ready, each on one line with the reason. */
async function describePods(
  namespace: string,
  labelSelector: string,
  cluster: ClusterAccess,
): Promise<readonly string[]> {
  try {
    const core = await connect(cluster, ({ CoreV1Api }) => CoreV1Api, DIAGNOSIS_TIMEOUT_MS);
    const { items } = await core.listNamespacedPod({ namespace, labelSelector });
    return items.filter((pod) => !isReady(pod)).map(describePod);
  } catch (error) {
    return [`pods cannot be read: ${describeError(error).message}`];
  }
}

function isReady({ status }: V1Pod): boolean {
  return (status?.conditions ?? []).some(
    (condition) => condition.type === "Ready" && condition.status === "True",
  );
}

function describePod({ metadata, status }: V1Pod): string {
  const reasons = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
    .map(({ name, state, lastState }) => ({
      name,
      reason: state?.waiting?.reason ?? lastState?.terminated?.reason,
    }))
    .filter(({ reason }) => reason !== undefined && reason !== "PodInitializing")
    .map(({ name, reason }) => `${name}: ${reason ?? ""}`);
  return `pod ${metadata?.name ?? "?"} ${[status?.phase ?? "Unknown", ...reasons].join(", ")}`;
}
