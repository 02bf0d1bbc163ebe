import { spawnSync } from "node:child_process";

import { UserError } from "../shared/errors";
import { PROJECT } from "../shared/paths";
import type { Tool } from "../sandbox/build/manifest";
import { singleTool } from "../sandbox/build/artifact";
import { prepare } from "../sandbox/build/prepare";

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
  const actionlint = await singleTool(ACTIONLINT);
  await prepare([actionlint], signal);
  const { status, error } = spawnSync(actionlint.tools, ["-shellcheck=", "-pyflakes=", ...files], {
    cwd: PROJECT,
    stdio: "inherit",
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new UserError("the workflows are not right; the reason is above");
}
