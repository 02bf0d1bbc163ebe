import { AsyncResource } from "node:async_hooks";

import * as pulumi from "@pulumi/pulumi";

import { ClusterAccess, connect, describeError } from "./client";
import { ControlledObject, resourceOf } from "./objectState";
import { CLOCK, listenForInterruption, Verdict, wait } from "./waiting";

/** Whose objects are created, and where. */
export interface AcceptanceArgs {
  /** Whose they are; Helm's name of its release too. */
  readonly controller: "cert-manager" | "trust-manager";
  /** Whether objects of their kind have no namespace. Pulumi gives them one all the same where it does not know the kind yet. */
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
  // The engine calls the hook outside the asynchronous context in which Pulumi finds this deployment's log.
  const context = new AsyncResource("Acceptance");
  let accepted: Promise<unknown> | undefined;
  return new pulumi.ResourceHook(name, ({ newInputs }) =>
    context.runInAsyncScope(async () => {
      // What is created at the same time shares the question.
      accepted ??= untilAccepted(scoped(newInputs as NewObject, args), args);
      try {
        await accepted;
      } catch (error) {
        accepted = undefined;
        throw error;
      }
    }),
  );
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
  const log = (line: string): void => void pulumi.log.info(line);
  await wait({ clock: CLOCK, deadlineSeconds, interruption: listenForInterruption, log, attempt, explain });
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

/** Answers that another try does not change. */
const REFUSALS = [400, 401, 422];

/** Tells apart what a person would mend differently. */
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
    const mend = `the deploying user must be allowed to create ${kind} objects${where}`;
    return { done: false, final: true, state: `permission is missing, ${mend}: ${message}` };
  }
  if (message.includes("failed calling webhook")) {
    return { done: false, state: `${controller}'s webhook does not answer: ${message}` };
  }
  if (status === undefined) {
    return { done: false, state: `the API server cannot be reached: ${message}` };
  }
  return { done: false, final: REFUSALS.includes(status), state: `refused (${status}): ${message}` };
}
