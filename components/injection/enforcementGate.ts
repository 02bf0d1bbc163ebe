import * as pulumi from "@pulumi/pulumi";
import type * as random from "@pulumi/random";

import { ClusterAccess, connect, describeError } from "../cluster/client";
import { clusterHook, gate } from "../cluster/hook";
import { Verdict, wait } from "../cluster/waiting";
import { probePod } from "./probePod";

/** Annotation of a pod that the policy refuses in any case, so that a dry run shows whether it is enforced. */
export const ENFORCEMENT_ANNOTATION = "linkerd-mtls/guard-probe";

/** An API server enforces a new binding within a second or two. */
const DEADLINE_SECONDS = 60;

/** The namespace that every cluster has, in which a pod is tried and never created. */
const NAMESPACE = "default";

/** Arguments of an {@link enforcementGate}. */
export interface EnforcementGateArgs {
  /** The policy that refuses the pod. */
  readonly policyName: pulumi.Input<string>;
  /** The cluster to ask, the same as the Kubernetes provider's. */
  readonly cluster: ClusterAccess;
}

/**
 * Opens when the API server enforces a binding of a policy, which it does a moment after it has accepted it. Where
 * something else refuses the pod first, that cannot be seen, and the gate opens at once. Name the binding in `dependsOn`.
 */
export function enforcementGate(
  name: string,
  { policyName, cluster }: EnforcementGateArgs,
  opts: pulumi.CustomResourceOptions,
): random.RandomId {
  const hook = clusterHook<{ keepers: { policyName: string } }>(name, async ({ newInputs: { keepers } }) => {
    const attempt = (timeoutMs: number): Promise<Verdict> => tryPod(cluster, timeoutMs);
    const explain = (state: string, effort: string): Promise<string> =>
      Promise.resolve(
        [
          `the API server does not enforce ValidatingAdmissionPolicy ${keepers.policyName} ${effort}: ${state}`,
          "look at:",
          "  kubectl get validatingadmissionpolicies,validatingadmissionpolicybindings",
        ].join("\n  "),
      );
    await wait({ deadlineSeconds: DEADLINE_SECONDS, attempt, explain });
  });
  return gate(name, hook, { policyName }, opts);
}

async function tryPod(cluster: ClusterAccess, timeoutMs: number): Promise<Verdict> {
  try {
    const core = await connect(cluster, ({ CoreV1Api }) => CoreV1Api, timeoutMs);
    const body = probePod({ [ENFORCEMENT_ANNOTATION]: "true" });
    await core.createNamespacedPod({ namespace: NAMESPACE, dryRun: "All", body });
    return { done: false, state: `it accepted a pod in namespace ${NAMESPACE} that the policy refuses` };
  } catch (error) {
    const { status, message } = describeError(error);
    return status === undefined || status >= 500 ? { done: false, state: message } : { done: true };
  }
}
