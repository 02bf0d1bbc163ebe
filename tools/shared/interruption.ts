/** Aborted when this process is asked to end: by Ctrl-C, by a signal, or because nobody reads its output any more. */
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

function end(): void {
  interruption.abort();
  setTimeout(() => {
    if (!isCancelling) cancellation.abort();
  }, MOMENT_MS).unref();
}

for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(name, end);
}

// As in `npm run up | head`. With no listener, Pulumi's SDK reports each failed write to the engine as an error of the
// program; the engine prints it, which fails too, and so on without an end.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", end);
}
