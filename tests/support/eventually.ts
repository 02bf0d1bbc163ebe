import { setTimeout as sleep } from "node:timers/promises";

/** Waits until the check holds; throws its description when that takes too long. */
export async function eventually(
  what: string,
  seconds: number,
  check: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`);
    await sleep(100);
  }
}
