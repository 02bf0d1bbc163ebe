import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../shared/errors";
import type { InstancePaths } from "../shared/paths";

/** Where Pulumi keeps the state while a command runs. */
export interface Backend {
  /** Environment variables of Pulumi's CLI. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends what was started for it. */
  readonly close: () => Promise<void>;
}

/** Opens the backend of an instance for one command. */
export type OpenBackend = (paths: InstancePaths) => Promise<Backend>;

/**
 * Pulumi's own `file://` backend, in the instance's folder. A lock that a killed operation left is removed.
 *
 * @throws UserError while another operation is at work there.
 */
export const fileBackend: OpenBackend = async ({ state }) => {
  await mkdir(state, { recursive: true, mode: 0o700 });
  await removeStaleLocks(join(state, ".pulumi", "locks"));
  // Without the file of attributes beside each file: one that a kill left empty makes the state unreadable.
  return { env: { PULUMI_BACKEND_URL: `file://${state}?metadata=skip` }, close: () => Promise.resolve() };
};

/** What Pulumi writes into a lock's file (`lockContent` in `pkg/backend/diy/lock.go`). */
interface Lock {
  readonly pid: number;
  readonly hostname: string;
}

/** How long an operation that was killed a moment ago may take to end. */
const PATIENCE_MS = 2000;

/**
 * Removes the locks of processes that have ended. `pulumi cancel` removes all locks of a stack, also the one of an operation
 * that began in the meantime.
 */
async function removeStaleLocks(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  const deadline = Date.now() + PATIENCE_MS;
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const { name, parentPath } of entries.filter(
    (entry) => entry.isFile() && entry.name.endsWith(".json"),
  )) {
    const file = join(parentPath, name);
    const lock = await readLock(file);
    while (lock !== undefined && (await isHeld(lock)) && existsSync(file)) {
      if (Date.now() > deadline) {
        throw new UserError(
          `another operation is at work on this stack (process ${lock.pid} on ${lock.hostname})`,
          lock.hostname === hostname()
            ? "wait until it has ended"
            : `wait until it has ended; if that machine no longer runs it, remove ${file}`,
        );
      }
      await sleep(100);
    }
    await rm(file, { force: true });
  }
}

/** The lock in that file; undefined when it has been removed in the meantime. */
async function readLock(file: string): Promise<Lock | undefined> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Lock);
}

/** Whether the process that made the lock runs, or may run: nobody here knows the processes of another machine. */
async function isHeld({ pid, hostname: host }: Lock): Promise<boolean> {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  if (process.platform !== "linux") return true;
  // The number may be another program's by now, or that of a process that has ended and that nobody has waited for.
  const [program = ""] = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "pulumi")).split("\0");
  return basename(program).includes("pulumi");
}
