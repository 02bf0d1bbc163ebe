import * as pulumi from "@pulumi/pulumi";

import { ClusterAccess } from "../cluster/client";
import { Interruption, listenForInterruption } from "../cluster/waiting";
import { MeshedPod } from "../pki/runningTrust";
import { isRollable, rollOwner } from "./rollOwner";
import { DEFAULT_ROLL_DEADLINE_SECONDS, DEFAULT_ROLL_PERCENT, RollSettings } from "./rollSettings";

/** What {@link rollOthers} needs. */
export interface RollOthersArgs extends RollSettings {
  /** Pods that lack the bundle. */
  readonly stale: readonly MeshedPod[];
  /** Fingerprints of the anchors that each pod must have. */
  readonly bundle: ReadonlySet<string>;
  readonly cluster: ClusterAccess;
}

/**
 * Rolls the owners of pods that lack the bundle, a share of them at once, and waits for each. What has the bundle is not
 * restarted, so a repeated call goes on where one was interrupted. The first failure starts no further one.
 *
 * @throws Error with what failed, and what is left.
 */
export async function rollOthers(args: RollOthersArgs): Promise<void> {
  const { workloads, bundle, cluster } = args;
  const { percent = DEFAULT_ROLL_PERCENT, deadlineSeconds = DEFAULT_ROLL_DEADLINE_SECONDS } = args;
  const owners = [...new Set(args.stale.map(({ owner }) => owner))]
    .filter((owner) => isRolled(owner, workloads))
    .sort();
  const total = owners.length;
  const failures: string[] = [];
  let started = 0;
  let done = 0;
  const { signal, dispose } = listenForInterruption();
  const interruption = (): Interruption => ({ signal, dispose: () => undefined });
  const roll = async (owner: string): Promise<void> => {
    log(`rolling ${++started} of ${total}: ${owner}`);
    try {
      const { seconds } = await rollOwner({ owner, bundle, cluster, deadlineSeconds, log, interruption });
      log(`rolled ${++done} of ${total}: ${owner} in ${seconds} s`);
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  };
  const next = async (): Promise<void> => {
    while (started < total && failures.length === 0 && !signal.aborted) {
      await roll(owners[started] ?? "");
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.max(1, Math.floor((total * percent) / 100)) }, next));
  } finally {
    dispose();
  }
  if (done < total) {
    throw new Error(
      [`${done} of ${total} workloads are rolled. The same command goes on with the rest:`, ...failures].join(
        "\n  ",
      ),
    );
  }
}

/** Whether an owner of pods that lack the bundle is rolled. */
export function isRolled(owner: string, workloads: RollSettings["workloads"]): boolean {
  return isRollable(owner) && (workloads === "all" || workloads.includes(owner));
}

function log(line: string): void {
  void pulumi.log.info(line);
}
