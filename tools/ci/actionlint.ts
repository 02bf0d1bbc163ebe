import { spawnSync } from "node:child_process";

import { UserError } from "../shared/errors";
import { PROJECT } from "../shared/paths";
import type { Tool } from "../sandbox/build/manifest";
import { binary, prepare } from "../sandbox/build/tools";

const ACTIONLINT: Tool = {
  name: "actionlint",
  module: "actionlint",
  package: "github.com/rhysd/actionlint/cmd/actionlint",
};

/**
 * Checks workflows, and prints what is wrong. Their shell lines are not checked: shellcheck and pyflakes are switched
 * off, so that the result is the same on each machine.
 *
 * @param files Default: those of `.github/workflows`.
 * @throws UserError when something is wrong.
 */
export async function lintWorkflows(files: readonly string[], signal: AbortSignal): Promise<void> {
  const artifact = await binary(ACTIONLINT);
  await prepare([{ tools: artifact.path, artifacts: [artifact] }], signal);
  const { status, error } = spawnSync(artifact.path, ["-shellcheck=", "-pyflakes=", ...files], {
    cwd: PROJECT,
    stdio: "inherit",
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new UserError("the workflows are not right; the reason is above");
}
