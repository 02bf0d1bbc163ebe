import { Argument, type Command } from "commander";

import { deployCommand } from "../sandbox/command";
import { runToEnd } from "../shared/runToEnd";
import { planJson, planText } from "./output";
import { planOf, type Subject } from "./plan";
import { readSituation } from "./situation";
import { type TargetOptions, withSelected } from "./target";

/** Options beside those of every command that deploys. */
interface Options extends TargetOptions {
  readonly id?: string;
  readonly drop: readonly string[];
  readonly json: boolean;
}

/** Exit code where something must be awaited first. */
const MUST_WAIT = 2;
const FAILED = 1;

async function say(subject: Subject | undefined, options: Options): Promise<void> {
  await withSelected(options, async ({ stack, values, access }) => {
    const situation = await readSituation(stack, values, access, { ...options, subject, isApplied: false });
    const plan = planOf(situation);
    console.log(options.json ? planJson(situation, plan) : planText(situation, plan, commandOf(options)));
    process.exitCode = plan.refusals.length > 0 ? FAILED : plan.waits.length > 0 ? MUST_WAIT : 0;
  });
}

/** The command that was typed, without its subject. */
function commandOf({ stack, name, context, cli }: TargetOptions): string {
  const options = [
    ...(stack === "dev" ? [] : ["--stack", stack]),
    ...(cli
      ? ["--cli"]
      : context !== undefined
        ? ["--context", context]
        : name === "default"
          ? []
          : ["--name", name]),
  ];
  return ["npm run rotate --", ...options].join(" ");
}

const program: Command = deployCommand(
  "rotate",
  "Says where the rotation of a stack's trust is, and does the next step. See docs/operations.md.",
)
  .addArgument(
    new Argument("[what]", "what to rotate. Default: continue, or begin what is near its end").choices([
      "anchor",
      "issuer",
      "webhooks",
    ]),
  )
  .option(
    "--cli",
    "of the Pulumi CLI on PATH and the backend it is logged in to, instead of a sandbox",
    false,
  )
  .option("--plan", "only say what the next step is", false)
  .option("--json", "the same for programs", false)
  .option("--id <id>", "of a new trust anchor. Default: the year")
  .option(
    "--drop <id>",
    "a provided anchor that may be dropped; repeatable",
    (id, ids: string[]) => [...ids, id],
    [],
  )
  .addHelpText(
    "after",
    "\nExit codes: 0 done or nothing to do, 1 failed or refused, 2 must wait, 130 Ctrl-C.",
  )
  .showHelpAfterError()
  .action(say);

runToEnd(program);
