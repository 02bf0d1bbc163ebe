import { setTimeout as sleep } from "node:timers/promises";

import * as pulumi from "@pulumi/pulumi";

/** Time, in milliseconds; a test brings its own. */
export interface Clock {
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** The machine's time. Its sleep does not keep the process alive. */
export const CLOCK: Clock = {
  now: () => performance.now(),
  sleep: (ms) => sleep(ms, undefined, { ref: false }),
};

/** The wish of whoever deploys to end a wait early. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** Stops listening. */
  readonly dispose: () => void;
}

/** Who listens now. They share one listener for each signal of the process, which warns of more than ten. */
const LISTENERS = new Set<AbortController>();
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function abortAll(): void {
  for (const interruption of LISTENERS) interruption.abort();
}

/**
 * Listens for Ctrl-C. The engine waits for its hooks even when it is told to end, so one that went on asking would hold
 * it until the deadline.
 */
export function listenForInterruption(): Interruption {
  const interruption = new AbortController();
  if (LISTENERS.size === 0) {
    for (const signal of SIGNALS) process.on(signal, abortAll);
  }
  LISTENERS.add(interruption);
  const dispose = (): void => {
    if (LISTENERS.delete(interruption) && LISTENERS.size === 0) {
      for (const signal of SIGNALS) process.off(signal, abortAll);
    }
  };
  return { signal: interruption.signal, dispose };
}

/** How long what was begun may take to end by itself, once it is interrupted: a wait says what it saw. */
const GRACE_MS = 1_000;

/**
 * The result of a task that does not listen for itself, or an error a moment after Ctrl-C. Without it, a request that gets
 * no answer would last until its own deadline.
 */
export async function unlessInterrupted<T>(what: string, task: () => Promise<T>): Promise<T> {
  const { signal, dispose } = listenForInterruption();
  const settled = new AbortController();
  const interrupted = new Promise<never>((_, reject) => {
    const end = async (): Promise<void> => {
      await CLOCK.sleep(GRACE_MS);
      reject(new Error(`interrupted: ${what} was not done, because the cluster did not answer yet`));
    };
    signal.addEventListener("abort", () => void end(), { signal: settled.signal });
  });
  try {
    return await Promise.race([task(), interrupted]);
  } finally {
    settled.abort();
    dispose();
  }
}

/** What one try has shown. */
export type Verdict =
  /** The wait is over. */
  | { readonly done: true }
  /** It seems to be over; the next try, soon, confirms it, even beyond the deadline. */
  | { readonly done: false; readonly confirming: true; readonly state: string }
  /** It is not over; with `final`, waiting cannot help. */
  | { readonly done: false; readonly confirming?: false; readonly state: string; readonly final?: boolean };

/** What a wait is about. */
export interface Wait {
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** How long to wait, in seconds. */
  readonly deadlineSeconds: number;
  /** Longest time between two tries, in milliseconds. Default two seconds. */
  readonly maxIntervalMs?: number;
  /** Listens for the wish to end early. Default: {@link listenForInterruption}. */
  readonly interruption?: () => Interruption;
  /** Receives a line for whoever reads the deployment's log. Default: that log. */
  readonly log?: (line: string) => void;
  /** Tries once; gives up after `timeoutMs`, and does not throw. */
  readonly attempt: (timeoutMs: number) => Promise<Verdict>;
  /** Says what is wrong, with the tries and the time that it took, when the deadline has passed. */
  readonly explain: (state: string, effort: string) => Promise<string>;
}

/** What a successful wait took. */
export interface Waited {
  readonly tries: number;
  readonly seconds: string;
}

/** Outlasts the 10 s that the API server gives a webhook, after which it answers without it. */
const REQUEST_TIMEOUT_MS = 15_000;
const MIN_REQUEST_TIMEOUT_MS = 1_000;

const FIRST_INTERVAL_MS = 250;
const MAX_INTERVAL_MS = 2_000;
const PROGRESS_INTERVAL_MS = 10_000;

/** Tries at growing intervals until one succeeds; throws at the deadline, when waiting cannot help, or when interrupted. */
export async function wait(args: Wait): Promise<Waited> {
  const { signal, dispose } = (args.interruption ?? listenForInterruption)();
  try {
    return await tryUntilDone(args, signal);
  } finally {
    dispose();
  }
}

async function tryUntilDone(args: Wait, signal: AbortSignal): Promise<Waited> {
  const { clock = CLOCK, deadlineSeconds, log = logLine, attempt, explain } = args;
  const { maxIntervalMs = MAX_INTERVAL_MS } = args;
  const start = clock.now();
  const elapsed = (): number => clock.now() - start;
  const seconds = (): string => (elapsed() / 1000).toFixed(1);
  const deadline = deadlineSeconds * 1000;

  let interval = FIRST_INTERVAL_MS;
  let nextProgress = PROGRESS_INTERVAL_MS;
  let state = "none yet";
  const interrupted = (tries: number): Error =>
    new Error(`interrupted after ${tries} tries in ${seconds()} s; last answer: ${state}`);
  for (let tries = 1; ; tries++) {
    const timeout = Math.max(MIN_REQUEST_TIMEOUT_MS, Math.min(REQUEST_TIMEOUT_MS, deadline - elapsed()));
    const verdict = await unlessAborted(attempt(timeout), signal, state);
    if (verdict.done) {
      return { tries, seconds: seconds() };
    }
    state = verdict.state;
    if (verdict.confirming === true) {
      interval = FIRST_INTERVAL_MS;
    } else if (signal.aborted) {
      throw interrupted(tries);
    } else if (verdict.final === true || elapsed() >= deadline) {
      const effort = `after ${tries} ${tries === 1 ? "try" : "tries"} in ${seconds()} s (deadline ${deadlineSeconds} s)`;
      throw new Error(await explain(verdict.state, effort));
    }
    if (elapsed() >= nextProgress) {
      nextProgress = elapsed() + PROGRESS_INTERVAL_MS;
      log(`still waiting after ${seconds()} s, last answer: ${verdict.state}`);
    }
    if (verdict.confirming === true) {
      await clock.sleep(interval);
    } else {
      await clock.sleep(Math.min(interval, Math.max(0, deadline - elapsed())));
      interval = Math.min(2 * interval, maxIntervalMs);
      if (signal.aborted) {
        throw interrupted(tries);
      }
    }
  }
}

/** What a try shows, or the state before it where an interruption does not let it end. */
async function unlessAborted(
  attempt: Promise<Verdict>,
  signal: AbortSignal,
  state: string,
): Promise<Verdict> {
  const settled = new AbortController();
  const aborted = new Promise<Verdict>((resolve) => {
    const unanswered = (): void => {
      resolve({ done: false, state });
    };
    signal.addEventListener("abort", unanswered, { signal: settled.signal });
  });
  try {
    return await Promise.race([attempt, aborted]);
  } finally {
    settled.abort();
  }
}

function logLine(line: string): void {
  void pulumi.log.info(line);
}
