/** An API server's answer to a server-side dry run of a pod that asks for injection. */
export type InjectionAnswer =
  | { readonly injected: true; readonly proxyImage: string }
  | {
      readonly injected: false;
      /** What was seen instead of a proxy. */
      readonly reason: string;
      /** Waiting cannot help, e.g. permission is missing. Default false. */
      readonly final?: boolean;
    };

/** What the probe needs of a cluster. Neither function throws. */
export interface InjectionApi {
  /** Asks once; gives up after `timeoutMs`. */
  dryRun(timeoutMs: number): Promise<InjectionAnswer>;
  /** The state of everything that injection needs, one line each, for the message of a failure. */
  diagnose(): Promise<readonly string[]>;
}

/** Time, in milliseconds; a test brings its own. */
export interface Clock {
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** Arguments of an {@link InjectionProbe}. */
export interface InjectionProbeArgs {
  readonly api: InjectionApi;
  readonly clock: Clock;
  /** Receives a line for whoever reads the deployment's log. */
  readonly log: (line: string) => void;
  /** How long to wait for injection, in seconds. */
  readonly deadlineSeconds: number;
  /** Listens, while the question is asked, for the wish to end it early. */
  readonly interruption: () => Interruption;
}

/** The wish of whoever deploys to end a question early. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** Stops listening. */
  readonly dispose: () => void;
}

/** Outlasts the 10 s that the API server gives the webhook, after which it answers without it. */
const REQUEST_TIMEOUT_MS = 15_000;
const MIN_REQUEST_TIMEOUT_MS = 1_000;

/** So many answers in a row must show a proxy: while injector pods are exchanged, a single one proves little. */
const ANSWERS_IN_A_ROW = 3;
const FIRST_INTERVAL_MS = 250;
const MAX_INTERVAL_MS = 2_000;

/** For so long a yes also holds for other resources, which are often created together; then one answer confirms it. */
const REUSE_MS = 1_000;
const PROGRESS_INTERVAL_MS = 10_000;

/** Asks whether pods are injected, until they are or the deadline has passed. */
export class InjectionProbe {
  private running: Promise<void> | undefined;
  private lastYes = Number.NEGATIVE_INFINITY;

  public constructor(private readonly args: InjectionProbeArgs) {}

  /** Resolves when pods are injected and throws when they are not. Callers at the same time share one question. */
  public async untilInjected(): Promise<void> {
    if (this.args.clock.now() - this.lastYes < REUSE_MS) {
      return;
    }
    this.running ??= this.askOnce();
    await this.running;
  }

  private async askOnce(): Promise<void> {
    const { signal, dispose } = this.args.interruption();
    try {
      await this.ask(signal);
    } finally {
      dispose();
      this.running = undefined;
    }
  }

  private async ask(signal: AbortSignal): Promise<void> {
    const { api, clock, log, deadlineSeconds } = this.args;
    const start = clock.now();
    const elapsed = (): number => clock.now() - start;
    const seconds = (): string => (elapsed() / 1000).toFixed(1);
    const deadline = deadlineSeconds * 1000;

    const confirming = this.lastYes !== Number.NEGATIVE_INFINITY;
    if (!confirming) {
      log(`asking the API server whether pods are injected (deadline ${deadlineSeconds} s)`);
    }
    let wanted = confirming ? 1 : ANSWERS_IN_A_ROW;
    let interval = FIRST_INTERVAL_MS;
    let nextProgress = PROGRESS_INTERVAL_MS;
    let yes = 0;
    for (let tries = 1; ; tries++) {
      const timeout = Math.max(MIN_REQUEST_TIMEOUT_MS, Math.min(REQUEST_TIMEOUT_MS, deadline - elapsed()));
      const answer = await api.dryRun(timeout);
      if (answer.injected) {
        yes++;
        interval = FIRST_INTERVAL_MS;
        if (yes === wanted) {
          this.lastYes = clock.now();
          if (wanted === ANSWERS_IN_A_ROW) {
            log(`pods are injected: ${tries} tries, ${seconds()} s, proxy ${answer.proxyImage}`);
          }
          return;
        }
      } else {
        if (wanted < ANSWERS_IN_A_ROW) {
          log(`pods are no longer injected, asking on (deadline ${deadlineSeconds} s): ${answer.reason}`);
        }
        wanted = ANSWERS_IN_A_ROW;
        yes = 0;
        if (signal.aborted) {
          throw new Error(
            `interrupted after ${tries} tries in ${seconds()} s; last answer: ${answer.reason}`,
          );
        }
        if (answer.final === true || elapsed() >= deadline) {
          throw new Error(await this.explain(answer.reason, tries, seconds()));
        }
      }
      if (elapsed() >= nextProgress) {
        nextProgress = elapsed() + PROGRESS_INTERVAL_MS;
        const last = answer.injected ? "injected, asking again to be sure" : answer.reason;
        log(`still waiting after ${seconds()} s, last answer: ${last}`);
      }
      await clock.sleep(answer.injected ? interval : Math.min(interval, Math.max(0, deadline - elapsed())));
      interval = answer.injected ? interval : Math.min(2 * interval, MAX_INTERVAL_MS);
    }
  }

  private async explain(reason: string, tries: number, seconds: string): Promise<string> {
    const lines = await this.args.api.diagnose();
    return [
      `pods are not injected after ${tries} ${tries === 1 ? "try" : "tries"} in ${seconds} s ` +
        `(deadline ${this.args.deadlineSeconds} s)`,
      `last answer: ${reason}`,
      ...lines,
    ].join("\n  ");
  }
}
