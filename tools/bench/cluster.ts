import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../shared/errors";
import { type InstancePaths, sandboxPaths } from "../shared/paths";
import { run } from "../shared/run";
import { startSandbox, stopSandbox } from "../sandbox/supervisor";
import type { SandboxTools } from "../sandbox/build/tools";

/** Name of the sandbox; each measurement has a new one. */
export const SANDBOX = "bench";

/** A sandbox on which nothing is deployed yet. */
export interface Cluster {
  readonly paths: InstancePaths;
  readonly tools: SandboxTools;
  /** Runs kubectl and returns its standard output. */
  readonly kubectl: (...args: string[]) => Promise<string>;
  /** Aborted when the benchmark is. */
  readonly signal: AbortSignal;
}

/** How long a new cluster may take until namespaces get what pods need. */
const SETTLING_SECONDS = 30;

/** Starts a sandbox, calls `use` with it, and removes it in any case. */
export async function withCluster<T>(
  tools: SandboxTools,
  readyDelaySeconds: number,
  signal: AbortSignal,
  use: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const paths = sandboxPaths(SANDBOX);
  const remove = async () => {
    await stopSandbox(paths);
    await rm(paths.root, { recursive: true, force: true });
  };
  await remove(); // what an earlier benchmark left when it was killed
  try {
    await startSandbox(paths, tools, signal, { readyDelaySeconds });
    const kubectl = (...args: string[]) =>
      run(tools.kubectl, args, { env: { KUBECONFIG: paths.kubeconfig }, signal });
    await settle(kubectl);
    return await use({ paths, tools, kubectl, signal });
  } finally {
    await remove();
  }
}

/** Waits until the controllers are at work: pods cannot be created before their service account. */
async function settle(kubectl: Cluster["kubectl"]): Promise<void> {
  for (let second = 0; second < SETTLING_SECONDS; second++) {
    const accounts = await kubectl("get", "serviceaccounts", "--namespace=default", "--output=name");
    if (accounts.includes("default")) return;
    await sleep(1000);
  }
  throw new UserError(`the sandbox has no service account "default" after ${SETTLING_SECONDS} s`);
}
