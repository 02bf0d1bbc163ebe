import type { KubernetesObject, V1ObjectMeta } from "@kubernetes/client-node";
import * as pulumi from "@pulumi/pulumi";

import { ClusterAccess, connect, describeError } from "./client";
import { clusterHook } from "./hook";
import { describeOwner } from "./ownership";
import { settled } from "./settled";
import { isSameStack, STACK_ANNOTATION, stackName } from "./stackMark";

/** Says why an object is left as it is, as opposed to a question that was not answered. */
class ForeignObject extends Error {}

/** How long the API server may take for each answer. */
const TIMEOUT_MS = 30_000;

/**
 * A hook for the creation of an object. It deletes the object of that name where it has the mark of this stack, or `isOwn`
 * recognizes what another resource of this program left. Pulumi's Kubernetes provider would take it over before version
 * 4.29, and fails from there on. What is not recognized is of others, and an error.
 */
export function removeLeftover(
  name: string,
  cluster: ClusterAccess,
  isOwn: (metadata: V1ObjectMeta) => boolean,
): pulumi.ResourceHook {
  return clusterHook<Required<KubernetesObject>>(
    name,
    async ({ newInputs: { apiVersion, kind, metadata } }) => {
      const { name: object, namespace } = metadata;
      const mark = await settled(cluster.mark ?? stackName());
      const where = { apiVersion, kind, metadata: { name: object ?? "", namespace: namespace ?? "" } };
      try {
        const objects = await connect(cluster, (k8s) => k8s.KubernetesObjectApi, TIMEOUT_MS);
        const live = await objects.read(where);
        const stack = live.metadata?.annotations?.[STACK_ANNOTATION];
        if (!isOwn(live.metadata ?? {}) && !isSameStack(stack ?? "", mark ?? "")) {
          throw new ForeignObject(
            `${kind} ${namespace ?? ""}/${object ?? ""} exists already, and this stack did not make it: ` +
              `${describeOwner(live.metadata ?? {}, mark)}\n` +
              "  it is left as it is: delete it, and what has made it, if nobody needs it",
          );
        }
        // Not one that was made in the meantime.
        const body = { preconditions: { uid: live.metadata?.uid } };
        await objects.delete(where, undefined, undefined, undefined, undefined, undefined, body);
      } catch (error) {
        if (error instanceof ForeignObject) {
          throw error;
        }
        const { status, message } = describeError(error);
        if (status !== 404) {
          throw new Error(
            `${kind} ${namespace ?? ""}/${object ?? ""} cannot be looked up or deleted before it is created: ${message}\n` +
              "  the deploying user must be allowed to get and delete it",
            { cause: error },
          );
        }
      }
    },
  );
}
