import { setTimeout as sleep } from "node:timers/promises";

/** Waits until the check holds; throws its description when that takes too long. */
export async function eventually(
  what: string,
  seconds: number,
  check: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    // The last look begins after the deadline, so that a machine that stalled in one is asked once more.
    const isLast = Date.now() > deadline;
    if (await check()) return;
    if (isLast) throw new Error(`not within ${seconds} s: ${what}`);
    await sleep(100);
  }
}
