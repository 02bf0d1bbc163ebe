import { setTimeout as sleep } from "node:timers/promises";

import type { ClusterAccess } from "../../components/cluster/client";
import { wait } from "../../components/cluster/waiting";
import { messageOf, UserError } from "../shared/errors";
import { interruption } from "../shared/interruption";
import { accessOf, NotAllowed, readCluster, TIMEOUT_MS } from "./access";
import { chainOf, isConverged } from "./chain";
import { chainTable } from "./chainOutput";
import type { ClusterOptions } from "./clusterOptions";
import { type PodName, readLeaf } from "./leaf";
import { type Group, isHealthy } from "./model";
import { format, type Output } from "./output";
import { readStackOutputs } from "./stackOutputs";
import { verify } from "./verify";

export interface CheckOptions extends ClusterOptions {
  readonly output: Output;
  /** In seconds. */
  readonly wait?: number;
  readonly traffic?: boolean;
  readonly links?: boolean;
  readonly stackOutputs?: string;
}

export interface ChainOptions extends ClusterOptions {
  readonly output: "table" | "json";
  readonly pods: boolean;
  readonly pod?: PodName;
}

/** Prints what is found; whether the mesh is healthy. */
export async function check(options: CheckOptions): Promise<boolean> {
  const groups = await askUntilHealthy(accessOf(options), options);
  console.log(format(groups, options.output));
  return isHealthy(groups);
}

/** Prints who signed whom; whether all have converged. */
export async function chain(options: ChainOptions): Promise<boolean> {
  const access = accessOf(options);
  const snapshot = await readCluster(access, { withSecrets: options.secrets });
  const leaf = options.pod && (await readLeaf(access, snapshot.pods, options.pod, TIMEOUT_MS));
  const all = chainOf(snapshot, { withPods: options.pods, leaf });
  console.log(options.output === "json" ? JSON.stringify(all, undefined, 2) : chainTable(all));
  return isConverged(all, snapshot.now);
}

/** Asks again until the mesh is healthy, and in any case for the last time at the deadline. */
async function askUntilHealthy(
  access: ClusterAccess,
  { secrets, traffic, links, stackOutputs, wait: deadlineSeconds = 0 }: CheckOptions,
): Promise<Group[]> {
  const outputs = stackOutputs === undefined ? undefined : await readStackOutputs(stackOutputs);
  let last: { readonly groups: Group[] } | { readonly error: unknown } | undefined;
  await wait({
    deadlineSeconds,
    // This one keeps the process alive.
    clock: { now: () => performance.now(), sleep: (ms) => sleep(ms) },
    log: (line) => {
      console.error(line);
    },
    interruption: () => ({ signal: interruption.signal, dispose: () => undefined }),
    attempt: async () => {
      try {
        const snapshot = await readCluster(access, {
          withSecrets: secrets,
          withTraffic: traffic,
          withLinks: links,
        });
        const groups = verify(snapshot, outputs);
        last = { groups };
        return isHealthy(groups) ? { done: true } : { done: false, state: stateOf(groups) };
      } catch (error) {
        last = { error };
        return { done: false, state: messageOf(error), final: error instanceof NotAllowed };
      }
    },
    explain: (state) => Promise.resolve(state),
  }).catch(() => undefined); // what was found last is the answer
  if (last === undefined) throw new UserError("interrupted before the cluster answered");
  if ("error" in last) throw last.error;
  return last.groups;
}

function stateOf(groups: readonly Group[]): string {
  const wrong = groups
    .flatMap(({ checks }) => checks)
    .filter(({ result }) => result === "error" || result === "warning");
  return `${wrong.length} findings, the first: ${wrong[0]?.check ?? ""}`;
}
