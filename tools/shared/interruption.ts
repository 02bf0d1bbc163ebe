/** Aborted when this process is asked to end, by Ctrl-C or by a signal. */
export const interruption = new AbortController();

/** Aborted a moment later, to make Pulumi's CLI end, unless it has been told as well. */
export const cancellation = new AbortController();

/** By then the CLI has said that it is ending, if the signal went to the whole group of processes. */
const MOMENT_MS = 700;

/** What the CLI says when it got a signal. A second one would make it end at once and lose state. */
const CANCELLING = "received; cancelling";

let isCancelling = false;

/** Takes note of what the CLI prints. */
export function overhear(output: string): void {
  isCancelling ||= output.includes(CANCELLING);
}

for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(name, () => {
    interruption.abort();
    setTimeout(() => {
      if (!isCancelling) cancellation.abort();
    }, MOMENT_MS).unref();
  });
}
