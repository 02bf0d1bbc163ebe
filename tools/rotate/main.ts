import { Argument, InvalidArgumentError } from "commander";

import { DURATION, parseDuration } from "../../components/validation/duration";
import { deployCommand } from "../sandbox/command";
import { UserError } from "../shared/errors";
import { runToEnd } from "../shared/runToEnd";
import { givenValues } from "../shared/stackFile";
import { EDITED } from "./configuration";
import type { Subject } from "./plan";
import { rotate, type RotateOptions } from "./rotate";

function seconds(text: string): number {
  const value = parseDuration(text);
  if (value === undefined) throw new InvalidArgumentError(DURATION.rule);
  return value;
}

function append(id: string, ids: readonly string[]): readonly string[] {
  return [...ids, id];
}

/** An edit of the stack's file would have no effect where the command line goes before it. */
function refuseGiven({ cli, config }: RotateOptions): void {
  if (cli && config.length > 0)
    throw new UserError("--config is for a sandbox, not for --cli", "pulumi config set");
  const [key] = Object.keys(givenValues(config)).filter((each) => EDITED.includes(each));
  if (key !== undefined)
    throw new UserError(`${key} must be in the stack's file, which is edited, not in --config`);
}

runToEnd(
  deployCommand(
    "rotate",
    "Says where the rotation of a stack's trust is, and does the next step. See docs/operations.md.",
  )
    .addArgument(
      new Argument("[what]", "what to rotate. Default: go on, or begin what is near its end").choices([
        "anchor",
        "issuer",
        "webhooks",
        "webhook-cas",
      ]),
    )
    .option(
      "--cli",
      "of the Pulumi CLI on PATH and the backend it is logged in to, instead of a sandbox",
      false,
    )
    .option("--plan", "only say what the next step is", false)
    .option("--json", "the same for programs", false)
    .option(
      "--wait <duration>",
      "do all steps, and wait for as long at most where it must be waited",
      seconds,
    )
    .option("--id <id>", "of a new trust anchor. Default: the year")
    .option("--anchor-key <file>", "with provided certificates: where the key of the new anchor is kept")
    .option("--drop <id>", "a provided anchor that may be dropped; repeatable", append, [])
    .addHelpText(
      "after",
      "\nExit codes: 0 done or nothing to do, 1 failed or refused, 2 must wait, 130 Ctrl-C.",
    )
    .showHelpAfterError()
    .action(async (what: Subject | undefined, options: RotateOptions) => {
      refuseGiven(options);
      process.exitCode = await rotate(what, options);
    }),
);
