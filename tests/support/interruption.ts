import assert from "node:assert/strict";

import { type Ended, start, succeed } from "./command";
import { eventually } from "./eventually";
import type { TestSandbox } from "./testSandbox";

/** How an interrupted deployment ended. */
export interface Interrupted extends Ended {
  /** Until no process was left, in milliseconds. */
  readonly took: number;
}

/**
 * Interrupts a first deployment as soon as it has printed the moment, and waits until no process is left.
 *
 * @param how By a signal, or by reading its output no more.
 */
export async function interrupt(
  sandbox: TestSandbox,
  how: NodeJS.Signals | "hang up",
  moment: string,
): Promise<Interrupted> {
  const command = start(["up", "--name", sandbox.name]);
  await command.prints(moment);
  const began = Date.now();
  if (how === "hang up") {
    command.hangUp();
  } else {
    command.kill(how);
  }
  const ended = await command.ended;
  await eventually("no process is left", 60, async () => (await sandbox.processes()).length === 0);
  return { ...ended, took: Date.now() - began };
}

/** Repeats an interrupted deployment to its end, after which nothing is left to change. */
export async function repeat({ name }: TestSandbox): Promise<void> {
  assert.match(await succeed("up", "--name", name), /All 2 pods are in the mesh\./);
  assert.match(await succeed("up", "--name", name), /Resources:\s+\d+ unchanged\s/);
}
