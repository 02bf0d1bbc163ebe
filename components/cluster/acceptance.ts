import type * as pulumi from "@pulumi/pulumi";

import { ClusterAccess, connect, describeError } from "./client";
import { clusterHook } from "./hook";
import { ControlledObject, resourceOf } from "./objectState";
import { CLOCK, Verdict, wait } from "./waiting";

/** Arguments of {@link acceptanceHook}. */
export interface AcceptanceArgs {
  /** The controller that the objects are for; also the name of its Helm release. */
  readonly controller: "cert-manager" | "trust-manager";
  /** Whether the kind is cluster-scoped. Pulumi sets a namespace all the same while it does not know the kind yet. */
  readonly clusterScoped?: boolean;
  /** How long to wait until they are accepted, in seconds. */
  readonly deadlineSeconds: number;
  /** The cluster to ask, the same as the Kubernetes provider's. */
  readonly cluster: ClusterAccess;
}

/** A kind that was just installed is served within a second or two; one that is missing for longer is not installed. */
const ABSENT_AFTER_MS = 10_000;

/** An object as Pulumi is about to create or update it. */
interface NewObject extends Pick<ControlledObject, "apiVersion" | "kind"> {
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: unknown;
}

/**
 * A hook for the creation and the update of a controller's objects: it waits until the API server accepts one, which it
 * asks with a dry run under another name. The controller's webhook answers later than its Deployment is available, and
 * where it does not answer, or the controller is not installed, the hook says so.
 */
export function acceptanceHook(name: string, args: AcceptanceArgs): pulumi.ResourceHook {
  let accepted: Promise<unknown> | undefined;
  return clusterHook<NewObject>(name, async ({ newInputs }) => {
    // Objects that are created at the same time share one question.
    accepted ??= untilAccepted(scoped(newInputs, args), args);
    try {
      await accepted;
    } catch (error) {
      accepted = undefined;
      throw error;
    }
  });
}

function scoped(object: NewObject, { clusterScoped = false }: AcceptanceArgs): NewObject {
  return clusterScoped ? { ...object, metadata: { name: object.metadata.name } } : object;
}

async function untilAccepted(object: NewObject, args: AcceptanceArgs): Promise<void> {
  const { controller, deadlineSeconds, cluster } = args;
  const start = CLOCK.now();
  const attempt = async (timeoutMs: number): Promise<Verdict> => {
    try {
      await dryRun(cluster, object, timeoutMs);
      return { done: true };
    } catch (error) {
      return judge(error, CLOCK.now() - start, object, controller);
    }
  };
  const explain = (state: string, effort: string): Promise<string> =>
    Promise.resolve(
      [
        `the API server does not accept ${controller}'s objects ${effort}`,
        state,
        "look at:",
        `  kubectl get pods,services,endpointslices -A -l app.kubernetes.io/instance=${controller}`,
        `  kubectl get validatingwebhookconfigurations -l app.kubernetes.io/instance=${controller}`,
      ].join("\n  "),
    );
  await wait({ deadlineSeconds, attempt, explain });
}

async function dryRun(cluster: ClusterAccess, object: NewObject, timeoutMs: number): Promise<void> {
  const { apiVersion, kind, metadata, spec } = object;
  const { name, namespace } = metadata;
  const api = await connect(cluster, ({ CustomObjectsApi }) => CustomObjectsApi, timeoutMs);
  const body = { apiVersion, kind, metadata: { generateName: `${name}-`, namespace }, spec };
  const where = { ...resourceOf(object), dryRun: "All", body };
  await (namespace === undefined
    ? api.createClusterCustomObject(where)
    : api.createNamespacedCustomObject({ ...where, namespace }));
}

/** Answers that a retry does not change. */
const REFUSALS = [400, 401, 422];

/** Tells apart the causes that a person fixes in different ways. */
function judge(error: unknown, elapsedMs: number, object: NewObject, controller: string): Verdict {
  const { status, message } = describeError(error);
  const { apiVersion, kind, metadata } = object;
  if (status === 404) {
    return {
      done: false,
      final: elapsedMs >= ABSENT_AFTER_MS,
      state: `${controller} is not installed, because the API server does not know ${apiVersion}: install it, or have it installed here`,
    };
  }
  if (status === 403 && message.includes("cannot create resource")) {
    const where = metadata.namespace === undefined ? "" : ` in namespace ${metadata.namespace}`;
    const remedy = `the deploying user must be allowed to create ${kind} objects${where}`;
    return { done: false, final: true, state: `permission is missing, ${remedy}: ${message}` };
  }
  if (message.includes("failed calling webhook")) {
    return { done: false, state: `${controller}'s webhook does not answer: ${message}` };
  }
  if (status === undefined) {
    return { done: false, state: `the API server cannot be reached: ${message}` };
  }
  return { done: false, final: REFUSALS.includes(status), state: `refused (${status}): ${message}` };
}
