import * as pulumi from "@pulumi/pulumi";
import type * as random from "@pulumi/random";

import { ClusterAccess, connect, describeError } from "../cluster/client";
import { clusterHook, gate } from "../cluster/hook";
import { Owner } from "../cluster/podOwner";
import { restartPods } from "../cluster/restartPods";
import { Verdict, wait } from "../cluster/waiting";
import { DeployedMesh, isNewMesh } from "./deployedMesh";
import { EVENTS_MS, IssuerInUse, readIssuerInUse } from "./issuerInUse";
import { LINKERD_NAMESPACE } from "./linkerdNamespace";

/** Arguments of an {@link issuerGate}. */
export interface IssuerGateArgs {
  /** Changes with the issuer; the gate then asks again. Stored in the state: nothing secret. */
  readonly issuer: pulumi.Input<string>;
  /** What the cluster had before. Default: it is not known. */
  readonly deployed?: DeployedMesh;
  /** How long to wait for identity, in seconds; a kubelet may take two minutes to give it a changed Secret. */
  readonly deadlineSeconds: number;
  /** The cluster to ask, the same as the Kubernetes provider's. */
  readonly cluster: ClusterAccess;
}

const IDENTITY: Owner = { kind: "Deployment", namespace: LINKERD_NAMESPACE, name: "linkerd-identity" };

const RESTART = `kubectl -n ${LINKERD_NAMESPACE} rollout restart deployment/${IDENTITY.name}`;

/**
 * Opens when each replica of identity uses the issuer that is in its Secret: a replica that could not read it says so in
 * an event, and goes on with the one before until that expires. Where the one before has expired, identity is restarted
 * once: it issues nothing until then, and its kubelet may wait minutes before it starts it again by itself. Asks nothing
 * where no mesh was deployed before. Name what writes the Secret, and the control plane, in `dependsOn`.
 */
export function issuerGate(
  name: string,
  { issuer, deployed, deadlineSeconds, cluster }: IssuerGateArgs,
  opts: pulumi.CustomResourceOptions,
): random.RandomId {
  const hook = clusterHook(name, async () => {
    if (!isNewMesh(deployed)) {
      await untilInUse(cluster, deadlineSeconds, deployed);
    }
  });
  return gate(name, hook, { issuer }, opts);
}

async function untilInUse(
  cluster: ClusterAccess,
  deadlineSeconds: number,
  deployed: DeployedMesh | undefined,
): Promise<void> {
  const hadExpired = deployed?.issuerExpired !== undefined;
  let restarted = false;
  const attempt = async (timeoutMs: number): Promise<Verdict> => {
    try {
      const state = await readIssuerInUse(cluster, timeoutMs, {
        before: deployed?.issuer,
        writtenBefore: deployed?.issuerWritten,
      });
      const { replicas, unproven, written, skipped } = state;
      if (replicas > 0 && unproven.length === 0) {
        return { done: true };
      }
      if (hadExpired && replicas > 0 && !restarted) {
        await restartIdentity(cluster, timeoutMs);
        restarted = true;
        return { done: false, state: "identity was restarted" };
      }
      if (skipped === undefined && Date.now() - written.getTime() > EVENTS_MS) {
        await pulumi.log.warn(
          `whether ${unproven.join(", ")} use the issuer that was written on ${written.toISOString()} cannot be seen any more. To be sure:\n    ${RESTART}`,
        );
        return { done: true };
      }
      return { done: false, state: describe(state), final: skipped !== undefined && !restarted };
    } catch (error) {
      const { status, message } = describeError(error);
      return { done: false, state: message, final: status === 401 || status === 403 };
    }
  };
  const explain = (state: string, effort: string): Promise<string> =>
    Promise.resolve(
      [
        `identity does not use the new issuer ${effort}: ${state}`,
        "until then it issues certificates of the one before, and none once that has expired. Restart it, then run the same command again:",
        `  ${RESTART}`,
        "look at:",
        `  kubectl -n ${LINKERD_NAMESPACE} get events --field-selector involvedObject.name=linkerd-identity`,
      ].join("\n  "),
    );
  await wait({ deadlineSeconds, attempt, explain });
}

async function restartIdentity(cluster: ClusterAccess, timeoutMs: number): Promise<void> {
  await pulumi.log.info("restarting identity, which issues nothing with the issuer that has expired");
  const objects = await connect(cluster, ({ KubernetesObjectApi }) => KubernetesObjectApi, timeoutMs);
  await restartPods(objects, IDENTITY);
}

function describe({ replicas, unproven, skipped }: IssuerInUse): string {
  if (replicas === 0) {
    return "no pod of identity runs";
  }
  return `${unproven.join(", ")}: ${skipped ?? "no event IssuerUpdated yet"}`;
}
