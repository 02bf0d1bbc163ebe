import { type ChildProcess, spawn } from "node:child_process";
import { open, readdir, readFile } from "node:fs/promises";
import { UserError } from "../shared/errors";

/** How a command is run. */
export interface ChildOptions {
  /** Its working folder. */
  readonly cwd: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Both of its output streams go to this file, which is replaced. */
  readonly log: string;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Whether its memory, and that of what it starts, is watched. */
  readonly watchMemory?: boolean;
}

/** A command that has succeeded. */
export interface Finished {
  /** From its start to its end. */
  readonly seconds: number;
  /** The most memory that it held, in MiB, and likewise each program that it started, by name; only if watched. */
  readonly memoryMiB: Readonly<{ self: number; children: Readonly<Record<string, number>> }>;
}

/** A command that has not ended by then is stuck. */
const LIMIT_SECONDS = 30 * 60;

/** Time to end in order; after it, it is killed. */
const GRACE_MS = 20_000;

/** How often memory is read. The kernel keeps the peak, so only growth in the last moment is missed. */
const MEMORY_INTERVAL_MS = 500;

/**
 * Runs a command to its end, in a group of processes of its own, so that all of it can be ended.
 *
 * @throws UserError when it fails, is interrupted or is stuck, with the last lines of its log.
 */
export async function runChild(
  command: string,
  args: readonly string[],
  options: ChildOptions,
): Promise<Finished> {
  const log = await open(options.log, "w");
  const began = performance.now();
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", log.fd, log.fd],
    detached: true,
  });
  const end = () => {
    endGroup(child);
  };
  options.signal.addEventListener("abort", end);
  const limit = setTimeout(end, LIMIT_SECONDS * 1000);
  const memory = options.watchMemory === true ? watchMemory(child) : undefined;
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", resolve);
    });
    const seconds = (performance.now() - began) / 1000;
    if (options.signal.aborted) throw new UserError("the benchmark was interrupted");
    if (code !== 0) {
      const lines = (await readFile(options.log, "utf8")).trim().split("\n").slice(-5).join("\n");
      const reason = seconds > LIMIT_SECONDS ? `did not end in ${LIMIT_SECONDS} s` : `ended with ${code}`;
      throw new UserError(`${command} ${reason}:\n${lines}`, `see ${options.log}`);
    }
    return { seconds, memoryMiB: memory?.peak ?? { self: 0, children: {} } };
  } finally {
    clearTimeout(limit);
    memory?.stop();
    options.signal.removeEventListener("abort", end);
    await log.close();
  }
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  const kill = (signal: NodeJS.Signals) => {
    try {
      process.kill(-pid, signal);
    } catch {
      // it has ended
    }
  };
  kill("SIGTERM");
  setTimeout(() => {
    kill("SIGKILL");
  }, GRACE_MS).unref();
}

function watchMemory({ pid = 0 }: ChildProcess) {
  const peak = { self: 0, children: {} as Record<string, number> };
  const look = async () => {
    peak.self = Math.max(peak.self, (await memoryOf(pid))?.mebibytes ?? 0);
    for (const child of await descendantsOf(pid)) {
      const memory = await memoryOf(child);
      if (memory !== undefined) {
        peak.children[memory.name] = Math.max(peak.children[memory.name] ?? 0, memory.mebibytes);
      }
    }
  };
  const clock = setInterval(() => void look(), MEMORY_INTERVAL_MS);
  const stop = () => {
    clearInterval(clock);
  };
  return { peak, stop };
}

/** Name and peak of the resident memory of a process, or undefined when it has ended. */
async function memoryOf(pid: number): Promise<{ name: string; mebibytes: number } | undefined> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const name = /^Name:\s+(.+)$/m.exec(status)?.[1];
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return name === undefined || kibibytes === undefined
    ? undefined
    : { name, mebibytes: Math.round(Number(kibibytes) / 1024) };
}

async function descendantsOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, "utf8").catch(() => "")),
  );
  const children = lists.flatMap((list) => list.split(" ").filter(Boolean).map(Number));
  return [...children, ...(await Promise.all(children.map(descendantsOf))).flat()];
}
