import { CLOCK, type Clock, type Interruption, type Verdict, wait } from "../cluster/waiting";

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

/** Arguments of an {@link InjectionProbe}. */
export interface InjectionProbeArgs {
  readonly api: InjectionApi;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Receives a line for whoever reads the deployment's log. */
  readonly log: (line: string) => void;
  /** How long to wait for injection, in seconds. */
  readonly deadlineSeconds: number;
  /** Listens for the wish to end early. Default: for signals. */
  readonly interruption?: () => Interruption;
}

/** So many answers in a row must show a proxy: while injector pods are exchanged, a single one proves little. */
const ANSWERS_IN_A_ROW = 3;

/** For so long a yes also holds for other resources, which are often created together; then one answer confirms it. */
const REUSE_MS = 1_000;

/** Asks whether pods are injected, until they are or the deadline has passed. */
export class InjectionProbe {
  private running: Promise<void> | undefined;
  private lastYes = Number.NEGATIVE_INFINITY;

  private readonly clock: Clock;

  public constructor(private readonly args: InjectionProbeArgs) {
    this.clock = args.clock ?? CLOCK;
  }

  /** Resolves when pods are injected and throws when they are not. Callers at the same time share one question. */
  public async untilInjected(): Promise<void> {
    if (this.clock.now() - this.lastYes < REUSE_MS) {
      return;
    }
    this.running ??= this.ask();
    await this.running;
  }

  private async ask(): Promise<void> {
    const { clock } = this;
    const { api, log, deadlineSeconds, interruption } = this.args;
    const confirming = this.lastYes !== Number.NEGATIVE_INFINITY;
    if (!confirming) {
      log(`asking the API server whether pods are injected (deadline ${deadlineSeconds} s)`);
    }
    let wanted = confirming ? 1 : ANSWERS_IN_A_ROW;
    let yes = 0;
    let proxyImage = "";
    const attempt = async (timeoutMs: number): Promise<Verdict> => {
      const answer = await api.dryRun(timeoutMs);
      if (answer.injected) {
        ({ proxyImage } = answer);
        yes++;
        return yes === wanted
          ? { done: true }
          : { done: false, confirming: true, state: "injected, asking again to be sure" };
      }
      if (wanted < ANSWERS_IN_A_ROW) {
        log(`pods are no longer injected, asking on (deadline ${deadlineSeconds} s): ${answer.reason}`);
      }
      wanted = ANSWERS_IN_A_ROW;
      yes = 0;
      return { done: false, state: answer.reason, final: answer.final };
    };
    const explain = async (reason: string, effort: string): Promise<string> =>
      [`pods are not injected ${effort}`, `last answer: ${reason}`, ...(await api.diagnose())].join("\n  ");

    try {
      const { tries, seconds } = await wait({ clock, deadlineSeconds, interruption, log, attempt, explain });
      this.lastYes = clock.now();
      if (wanted === ANSWERS_IN_A_ROW) {
        log(`pods are injected: ${tries} tries, ${seconds} s, proxy ${proxyImage}`);
      }
    } finally {
      this.running = undefined;
    }
  }
}
