import { spawn } from "node:child_process";
import { once } from "node:events";

import { deploy } from "../sandbox/command";
import { onStack, up } from "../sandbox/deploy";
import { FailedOperation, operate, OPERATION } from "../shared/operation";
import { PROJECT } from "../shared/paths";
import { UserError } from "../shared/errors";
import { interruption } from "../shared/interruption";
import type { Undo } from "./editStack";
import type { TargetOptions } from "./target";

/**
 * Previews and deploys the stack: in an instance as `npm run up` does, otherwise with the Pulumi CLI. Where the preview
 * fails, nothing was deployed, and the configuration is put back.
 *
 * @throws UserError where one of them fails or is interrupted.
 */
export async function deployStack(options: TargetOptions, undo: Undo): Promise<void> {
  const previewed = async (preview: Promise<unknown>): Promise<void> => {
    try {
      await preview;
    } catch (error) {
      await undo();
      console.error("\nNothing was deployed, and the configuration is as it was.");
      throw error;
    }
  };
  if (options.cli) {
    await previewed(pulumi("preview", "--stack", options.stack));
    await pulumi("up", "--stack", options.stack, "--yes", "--skip-preview");
    return;
  }
  await deploy({ ...options, yes: true }, async (target, stack, config) => {
    await previewed(onStack(target, stack, config, (selected) => operate(selected.preview(OPERATION))));
    await up(target, stack, config);
  });
}

/** Runs the CLI on PATH on this terminal, which gives it Ctrl-C too. */
async function pulumi(...args: readonly string[]): Promise<void> {
  const child = spawn("pulumi", args, { cwd: PROJECT, stdio: "inherit" });
  const [code] = (await once(child, "close")) as [number | null];
  if (interruption.signal.aborted) throw new UserError("the operation was interrupted");
  if (code !== 0) throw new FailedOperation(`pulumi ${args.join(" ")} failed; the reason is above`);
}
