import { existsSync } from "node:fs";

import { type ClusterAccess, describeError } from "../../components/cluster/client";
import { UserError } from "../shared/errors";
import { sandboxPaths } from "../shared/paths";
import type { ClusterOptions } from "./clusterOptions";
import { type ReadOptions, readSnapshot, type Snapshot } from "./snapshot";

/** How long an API server may take for one answer, in milliseconds. */
export const TIMEOUT_MS = 15_000;

/** @throws UserError where there is no such kubeconfig, or no such sandbox. */
export function accessOf({ kubeconfig, context, name }: ClusterOptions): ClusterAccess {
  if (kubeconfig !== undefined) {
    if (existsSync(kubeconfig)) return { kubeconfig, context };
    throw new UserError(`there is no file ${kubeconfig}`, "--kubeconfig ~/.kube/config");
  }
  if (context !== undefined) return { context };
  const sandbox = sandboxPaths(name).kubeconfig;
  if (existsSync(sandbox)) return { kubeconfig: sandbox };
  throw new UserError(
    `sandbox "${name}" was never started, and neither --kubeconfig nor --context names another cluster`,
    "kubectl config get-contexts",
  );
}

/** A permission is missing, which waiting does not change. */
export class NotAllowed extends UserError {}

/** HTTP status of an answer that a permission is missing. */
export const FORBIDDEN = 403;

/** @throws UserError where there is no answer; {@link NotAllowed} where a permission is missing. */
export async function readCluster(
  access: ClusterAccess,
  options: Omit<ReadOptions, "timeoutMs">,
): Promise<Snapshot> {
  try {
    return await readSnapshot(access, { ...options, timeoutMs: TIMEOUT_MS });
  } catch (error) {
    const { status, message } = describeError(error);
    const problem = `the cluster cannot be asked: ${message}`;
    if (status === FORBIDDEN) {
      const remedy = "grant the Roles in docs/verify.md, or leave out what is in Secrets with --no-secrets";
      throw new NotAllowed(problem, remedy, { cause: error });
    }
    throw new UserError(problem, "kubectl get --raw /readyz", { cause: error });
  }
}
