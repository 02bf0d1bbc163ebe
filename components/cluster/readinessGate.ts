import { AsyncResource } from "node:async_hooks";

import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

import { ClusterAccess } from "./client";
import { sha256 } from "../pki/certificate";
import { ControlledObject, ObjectState, objectState } from "./objectState";
import { CLOCK, listenForInterruption, Verdict, wait } from "./waiting";

/** Arguments of a {@link readinessGate}. */
export interface ReadinessGateArgs {
  /** What is waited for. */
  readonly objects: readonly pulumi.Input<ControlledObject>[];
  /** The condition that says that an object is ready. */
  readonly condition: "Ready" | "Synced";
  /** What the objects are like. When it changes, the gate asks again; only its hash is kept. */
  readonly specs: pulumi.Input<unknown>;
  /** Helm's name of the release whose controllers work on the objects, for the message of a failure. */
  readonly controller: string;
  /** How long to wait, in seconds. */
  readonly deadlineSeconds: number;
  /** The cluster to ask, the same as the Kubernetes provider's. */
  readonly cluster: ClusterAccess;
}

/**
 * Opens when controllers have done their work on objects, and says at its deadline what they report, which Pulumi's own
 * wait does not. It asks in a hook before it is created, as `InjectionGate` does: an unchanged deployment asks nothing,
 * and one that failed asks again the next time. Let the objects be among the dependencies in `opts`.
 */
export function readinessGate(
  name: string,
  args: ReadinessGateArgs,
  opts: pulumi.CustomResourceOptions,
): random.RandomId {
  const { condition, controller, deadlineSeconds, cluster } = args;
  // The engine calls the hook outside the asynchronous context in which Pulumi finds this deployment's log.
  const context = new AsyncResource("ReadinessGate");
  const hook = new pulumi.ResourceHook(name, ({ newInputs }) =>
    context.runInAsyncScope(async () => {
      const { keepers } = newInputs as { keepers: { objects: string } };
      const objects = JSON.parse(keepers.objects) as ControlledObject[];
      await untilReady({ objects, condition, controller, deadlineSeconds, cluster });
    }),
  );
  return new random.RandomId(
    name,
    {
      byteLength: 4,
      keepers: {
        objects: pulumi.jsonStringify(args.objects),
        specs: pulumi.jsonStringify(args.specs).apply(sha256),
      },
    },
    { ...opts, hooks: { beforeCreate: [hook] } },
  );
}

async function untilReady(
  args: Pick<ReadinessGateArgs, "condition" | "controller" | "deadlineSeconds" | "cluster"> & {
    readonly objects: readonly ControlledObject[];
  },
): Promise<void> {
  const { objects, condition, controller, deadlineSeconds, cluster } = args;
  let unready: ObjectState[] = [];
  const attempt = async (timeoutMs: number): Promise<Verdict> => {
    const states = await Promise.all(
      objects.map((object) => objectState(cluster, object, condition, timeoutMs)),
    );
    unready = states.filter(({ ready }) => !ready);
    const [first] = unready;
    return first === undefined ? { done: true } : { done: false, state: first.description };
  };
  const explain = async (_: string, effort: string): Promise<string> =>
    [
      `${unready.length} of ${objects.length} objects are not ${condition} ${effort}`,
      ...unready.map(({ description }) => description),
      ...(await issuers(unready, cluster)),
      "look at:",
      ...objects.slice(0, 1).map(commandFor),
      `  kubectl get pods -A -l app.kubernetes.io/instance=${controller}`,
    ].join("\n  ");
  const log = (line: string): void => void pulumi.log.info(line);
  await wait({ clock: CLOCK, deadlineSeconds, interruption: listenForInterruption, log, attempt, explain });
}

/** How long each look at an issuer may take, for the message of a failure. */
const DIAGNOSIS_TIMEOUT_MS = 10_000;

async function issuers(unready: readonly ObjectState[], cluster: ClusterAccess): Promise<string[]> {
  const byText = new Map(
    unready.flatMap(({ issuer }) =>
      issuer === undefined ? [] : [[JSON.stringify(issuer), issuer] as const],
    ),
  );
  const states = await Promise.all(
    [...byText.values()].map((issuer) => objectState(cluster, issuer, "Ready", DIAGNOSIS_TIMEOUT_MS)),
  );
  return states.map(({ description }) => description);
}

function commandFor({ kind, namespace }: ControlledObject): string {
  return namespace === undefined
    ? `  kubectl describe ${kind.toLowerCase()}`
    : `  kubectl -n ${namespace} describe ${kind.toLowerCase()}`;
}
