/** Aborted when this process is asked to end, by Ctrl-C or by a signal. */
export const interruption = new AbortController();

/**
 * Aborted when Pulumi's CLI must be told of it. Ctrl-C in a terminal reaches the CLI as well as this process, and a
 * second SIGINT would end the CLI at once and lose state; any other signal reaches this process alone.
 */
export const cancellation = new AbortController();

for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(name, () => {
    interruption.abort();
    if (name !== "SIGINT" || !process.stdin.isTTY) cancellation.abort();
  });
}
