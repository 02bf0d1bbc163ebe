import * as pulumi from "@pulumi/pulumi";
import type * as random from "@pulumi/random";

import { ClusterAccess } from "./client";
import { sha256 } from "../certificates/pem";
import { clusterHook, gate } from "./hook";
import { ControlledObject, ObjectState, objectState } from "./objectState";
import { Verdict, wait } from "./waiting";

/** Arguments of a {@link readinessGate}. */
export interface ReadinessGateArgs {
  /** What to wait for. */
  readonly objects: readonly pulumi.Input<ControlledObject>[];
  /** The condition that says that an object is ready. */
  readonly condition: "Ready" | "Synced";
  /** Specifications of the objects. When one changes, the gate asks again; only the hash is stored. */
  readonly specs: pulumi.Input<unknown>;
  /** Helm's name of the release whose controllers work on the objects, for the message of a failure. */
  readonly controller: string;
  /** How long to wait, in seconds. */
  readonly deadlineSeconds: number;
  /** The cluster to ask, the same as the Kubernetes provider's. */
  readonly cluster: ClusterAccess;
}

/**
 * Opens when controllers have done their work on objects. At its deadline it says what they report, which Pulumi's own
 * wait does not. Name the objects in `dependsOn`.
 */
export function readinessGate(
  name: string,
  args: ReadinessGateArgs,
  opts: pulumi.CustomResourceOptions,
): random.RandomId {
  const { condition, controller, deadlineSeconds, cluster } = args;
  const hook = clusterHook<{ keepers: { objects: string } }>(name, async ({ newInputs }) => {
    const objects = JSON.parse(newInputs.keepers.objects) as ControlledObject[];
    await untilReady({ objects, condition, controller, deadlineSeconds, cluster });
  });
  return gate(
    name,
    hook,
    {
      objects: pulumi.jsonStringify(args.objects),
      specs: pulumi.jsonStringify(args.specs).apply(sha256),
    },
    opts,
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
  await wait({ deadlineSeconds, attempt, explain });
}

/** How long each look at an issuer may take, for the message of a failure. */
const DIAGNOSIS_TIMEOUT_MS = 5_000;

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
