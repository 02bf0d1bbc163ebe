import type { Stack } from "@pulumi/pulumi/automation";

import type { ClusterAccess } from "../../components/cluster/client";
import { readDeployedMesh } from "../../components/controlPlane/deployedMesh";
import { readDeployedWebhooks } from "../../components/controlPlane/deployedWebhooks";
import { messageOf, UserError } from "../shared/errors";
import { stateOf } from "../shared/stack";
import { readConfiguration } from "./configuration";
import { readMade, type StateResource } from "./made";
import type { Situation } from "./plan";

/** What only the person who rotates knows. */
export type Wishes = Pick<Situation, "subject" | "id" | "drop" | "isApplied">;

/**
 * Reads where a stack is: its configuration, its state, and what is deployed. Nothing is changed.
 *
 * @param values The configuration, by full key.
 * @throws UserError where no mesh is deployed, or the cluster cannot be asked.
 */
export async function readSituation(
  stack: Stack,
  values: Readonly<Record<string, unknown>>,
  access: ClusterAccess,
  wishes: Wishes,
): Promise<Situation> {
  const [{ resources, wasKilled }, cluster] = await Promise.all([
    stateOf<StateResource>(stack),
    readCluster(access),
  ]);
  return {
    configuration: readConfiguration(values),
    made: readMade(resources, wasKilled),
    ...cluster,
    now: new Date(),
    ...wishes,
  };
}

/**
 * Reads what is deployed.
 *
 * @throws UserError as {@link readSituation}.
 */
export async function readCluster(
  access: ClusterAccess,
): Promise<Pick<Situation, "deployed" | "running" | "webhooks">> {
  const deployed = await answered(readDeployedMesh(access));
  if (deployed?.readRunning === undefined || deployed.anchors.length === 0) {
    throw new UserError(
      "the cluster has no trust anchor that is valid (ConfigMap linkerd-identity-trust-roots), so there is nothing to rotate",
      'deploy the stack first; where all have expired, see docs/operations.md, "Replacing all trust at once"',
    );
  }
  const [running, webhooks] = await answered(
    Promise.all([deployed.readRunning(), readDeployedWebhooks(access)]),
  );
  return { deployed, running, webhooks };
}

async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw new UserError(messageOf(error), "kubectl get --raw /readyz", { cause: error });
  }
}
