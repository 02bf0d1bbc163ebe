import { execFile, type ExecFileException } from "node:child_process";

/** A command that could not be run or that failed. */
export class CommandError extends Error {
  /**
   * @param command The program.
   * @param stderr What it wrote to standard error.
   * @param stdout What it wrote to standard output.
   * @param cause What Node reports.
   */
  constructor(
    command: string,
    readonly stderr: string,
    readonly stdout: string,
    cause: ExecFileException,
  ) {
    super(stderr.trim() === "" ? cause.message : `${command}: ${stderr.trim()}`, { cause });
    this.name = "CommandError";
    this.notFound = cause.code === "ENOENT";
  }

  /** Whether there is no such program on PATH. */
  readonly notFound: boolean;
}

/** Settings of one command. */
export interface RunOptions {
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads from standard input: nobody else sees it, unlike its arguments. */
  readonly input?: string;
  /** Ends the command. */
  readonly signal?: AbortSignal;
}

/**
 * Runs a program to its end, without a shell, and returns what it wrote to standard output.
 *
 * @throws CommandError when it could not be run, failed or was ended.
 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { cwd, env, input, signal } = options;
  return new Promise((resolve, reject) => {
    const settings = { cwd, signal, env: { ...process.env, ...env }, maxBuffer: 64 * 1024 * 1024 };
    const child = execFile(command, args, settings, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new CommandError(command, stderr, stdout, error));
    });
    if (input === undefined) return;
    child.stdin?.on("error", () => undefined); // it has ended
    child.stdin?.end(input);
  });
}
