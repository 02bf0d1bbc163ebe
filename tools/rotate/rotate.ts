import { createInterface } from "node:readline/promises";
import { setTimeout as sleep } from "node:timers/promises";

import { UserError } from "../shared/errors";
import { interruption } from "../shared/interruption";
import { deployStack } from "./deploy";
import { editStack, type StepOptions } from "./editStack";
import { describeStep, planJson, planText } from "./output";
import { type Plan, planOf, type Situation, type Subject } from "./plan";
import { readCluster, readSituation } from "./situation";
import type { Step } from "./steps";
import { commandOf, withSelected } from "./target";

/** How a rotation is done. */
export interface RotateOptions extends StepOptions {
  readonly id?: string;
  readonly drop: readonly string[];
  readonly plan: boolean;
  readonly json: boolean;
  readonly yes: boolean;
  /** Goes on to the end, and waits for what must be awaited for as many seconds at most. Default: one step. */
  readonly wait?: number;
}

/** Exit codes. */
export const EXIT = { done: 0, failed: 1, mustWait: 2 } as const;

/** How often the cluster is asked while something is awaited. */
const INTERVAL_MS = 5000;

const { signal } = interruption;

/**
 * Says where the stack is and does the next step, with `wait` all of them.
 *
 * @returns The exit code.
 * @throws UserError where a step is not confirmed, fails or is interrupted.
 */
export async function rotate(subject: Subject | undefined, options: RotateOptions): Promise<number> {
  const { json, wait } = options;
  const isSaying = options.plan || json;
  const deadline = Date.now() + (wait ?? 0) * 1000;
  let wanted = subject;
  let last: Step | undefined;
  for (;;) {
    const look = { ...options, subject: wanted, isApplied: last !== undefined };
    const { plan, situation } = await withSelected(options, async ({ stack, values, access }) => {
      const read = await readSituation(stack, values, access, look);
      say(read, planOf(read), options);
      return isSaying ? { situation: read, plan: planOf(read) } : await awaitReady(read, access, deadline);
    });
    const { step } = plan;
    const isOver = last !== undefined && (wait === undefined || step === undefined);
    if (isOver && step !== undefined) console.log(`To go on: ${commandOf(options)}`);
    if (isOver || step === undefined) return EXIT.done;
    if (plan.refusals.length > 0) return EXIT.failed;
    if (plan.waits.length > 0) return EXIT.mustWait;
    if (isSaying) return EXIT.done;
    refuseAgain(step, last);
    await confirm(step, options);
    const undo = await withSelected(options, (selected) => editStack(selected, step, options));
    await deployStack(options, undo);
    console.log(`\nDone: ${describeStep(step)}.\n`);
    last = step;
    if (situation.subject === "issuer" || situation.subject === "webhooks") return EXIT.done;
    wanted = undefined;
  }
}

function say(situation: Situation, plan: Plan, options: RotateOptions): void {
  const text = options.json ? planJson(situation, plan) : planText(situation, plan, commandOf(options));
  console.log(text);
}

/** Asks the cluster again until nothing is in the step's way, or the deadline has passed. */
async function awaitReady(
  first: Situation,
  access: Parameters<typeof readCluster>[0],
  deadline: number,
): Promise<{ readonly situation: Situation; readonly plan: Plan }> {
  let situation = first;
  let plan = planOf(situation);
  if (plan.waits.length > 0 && Date.now() < deadline) {
    console.log(`Waiting until ${new Date(deadline).toISOString()} at most.`);
  }
  while (plan.waits.length > 0 && Date.now() < deadline && !signal.aborted) {
    await sleep(INTERVAL_MS, undefined, { signal }).catch(() => undefined);
    situation = { ...situation, ...(await readCluster(access)), now: new Date() };
    plan = planOf(situation);
  }
  if (signal.aborted) throw new UserError("interrupted; nothing was changed");
  return { situation, plan };
}

/** A deployment that succeeded and changed nothing would be repeated for ever. */
function refuseAgain(step: Step, last: Step | undefined): void {
  if (step.name !== "apply" || last === undefined) return;
  throw new UserError(
    "the deployment succeeded, and the cluster still has another trust than the configuration",
    "pulumi up --refresh",
  );
}

async function confirm(step: Step, { yes }: RotateOptions): Promise<void> {
  if (yes) return;
  const remedy = "to confirm without being asked, add --yes; to see the plan alone, --plan";
  if (!process.stdin.isTTY) throw new UserError("the step was not confirmed; nothing was changed", remedy);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const question = `To ${describeStep(step)}, type yes: `;
  const answer = await terminal.question(question, { signal }).catch(() => "");
  terminal.close();
  if (answer.trim() !== "yes") throw new UserError("the step was not confirmed; nothing was changed", remedy);
}
