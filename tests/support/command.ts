import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

import { PROJECT } from "../../tools/shared/paths";
import { eventually } from "./eventually";

/** How a command ended and what it printed, both streams together. */
export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** A command of `tools/sandbox/main.ts` that runs as its own process, as `npm run` starts it. */
export interface Command {
  readonly ended: Promise<Ended>;
  /** What it has printed so far. */
  readonly output: () => string;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Stops reading its standard output, as `head` does. */
  readonly hangUp: () => void;
  /** Waits until it has printed the text; else ends it and throws all that it has printed. */
  readonly prints: (text: string) => Promise<void>;
}

/** A deployment that has not come as far as a test waits for by then is stuck. */
const PATIENCE_SECONDS = 240;

/** A command that has not ended by then is stuck; it is killed, so that what it printed is seen. */
const LIMIT_SECONDS = 600;

const running = new Set<ChildProcess>();

/** Starts `npm run ARGS...`, or another command of the checkout. */
export function start(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  main = "tools/sandbox/main.ts",
): Command {
  const child = spawn(process.execPath, ["--require", "./typescript.cjs", main, ...args], {
    cwd: PROJECT,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  }
  const limit = setTimeout(() => {
    output += `\nkilled: it did not end within ${LIMIT_SECONDS} s\n`;
    child.kill("SIGKILL");
  }, LIMIT_SECONDS * 1000);
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code) => {
      running.delete(child);
      clearTimeout(limit);
      resolve({ code, output });
    });
  });
  const prints = async (text: string) => {
    try {
      await eventually(text, PATIENCE_SECONDS, () => output.includes(text) || child.exitCode !== null);
      assert(output.includes(text), `the command ended without printing "${text}"`);
    } catch (error) {
      child.kill("SIGKILL");
      throw new Error(`${String(error)}; it printed:\n${output}`, { cause: error });
    }
  };
  const hangUp = () => child.stdout.destroy();
  return { ended, output: () => output, kill: (signal) => child.kill(signal), hangUp, prints };
}

/** Runs `npm run ARGS...` to its end. */
export function run(...args: string[]): Promise<Ended> {
  return start(args).ended;
}

/** Runs it and throws, with all that it printed, unless it succeeds. */
export function succeed(...args: string[]): Promise<string> {
  return succeedWith({}, ...args);
}

/** The same with these variables of the environment. */
export async function succeedWith(env: NodeJS.ProcessEnv, ...args: string[]): Promise<string> {
  const { code, output } = await start(args, env).ended;
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}:\n${output}`);
  return output;
}

/** Arguments that configure a deployment with these values, by key. */
export function configuration(values: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(values).flatMap(([key, value]) => [
    "-c",
    `linkerd-mtls:${key}=${JSON.stringify(value)}`,
  ]);
}

/** Kills the commands that still run, as a test that failed leaves them. */
export async function endCommands(): Promise<void> {
  await Promise.all(
    [...running].map(async (child) => {
      const closed = once(child, "close");
      child.kill("SIGKILL");
      await closed;
    }),
  );
}
