import { spawn } from "node:child_process";
import { constants } from "node:os";
import { mkdir, open, readFile, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { parseAllDocuments } from "yaml";
import { messageOf, UserError } from "../shared/errors";
import type { InstancePaths } from "../shared/paths";
import { CommandError, run } from "../shared/run";
import type { SandboxTools } from "./build/tools";

/** What the supervisor writes to status.json; documented in `toolchain/kubernetes/supervisor/status.go`. */
export interface SandboxStatus {
  readonly pid: number;
  readonly phase: "starting" | "ready" | "stopping" | "stopped" | "failed";
  readonly message: string;
  readonly apiServer: string;
  readonly processes: Readonly<Record<string, number>> | null;
  /** Paths of programs that containers wait for, as POD.CONTAINER: their tools are not built. */
  readonly missing?: Readonly<Record<string, string>> | null;
}

/** A sandbox that runs. */
export interface RunningSandbox {
  readonly status: SandboxStatus;
  /** Whether this call started it. */
  readonly started: boolean;
  /** Lets it outlive this process, which otherwise takes it along, however it ends. */
  readonly release: () => void;
}

/** The status of a sandbox: what it wrote last, corrected to "stopped" when its supervisor is no longer there. */
export async function sandboxStatus(paths: InstancePaths): Promise<SandboxStatus | undefined> {
  let status: SandboxStatus;
  try {
    status = JSON.parse(await readFile(paths.status, "utf8")) as SandboxStatus;
  } catch {
    return undefined; // never started, or removed
  }
  const gone = status.pid === 0 || !(await isSupervisor(status.pid, paths));
  return gone && status.phase !== "failed"
    ? { ...status, pid: 0, phase: "stopped", processes: null }
    : status;
}

/** Whether the process with that number is this sandbox's supervisor, and not one that got its number later. */
async function isSupervisor(pid: number, paths: InstancePaths): Promise<boolean> {
  try {
    const command = (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0");
    return command[1] === "supervisor" && command.includes(`-dir=${paths.root}`);
  } catch {
    return false;
  }
}

/** How a sandbox is started; one that runs already stays as it is. */
export interface SandboxOptions {
  /** How long each pod takes to become ready, in seconds, as with slow pulls of images. Default 0. */
  readonly readyDelaySeconds?: number;
}

/**
 * Starts the sandbox unless it runs, and returns when its API server answers.
 *
 * @throws UserError with the supervisor's own words when it cannot start.
 */
export async function startSandbox(
  paths: InstancePaths,
  tools: SandboxTools,
  signal: AbortSignal,
  { readyDelaySeconds = 0 }: SandboxOptions = {},
): Promise<RunningSandbox> {
  const current = await sandboxStatus(paths);
  if (current?.phase === "ready") return { status: current, started: false, release: () => undefined };
  // It holds the state and the cluster's keys: nobody else may read it.
  await mkdir(paths.root, { recursive: true, mode: 0o700 });
  await mkdir(paths.logs, { recursive: true });
  const stages = await writeStages(paths, tools, readyDelaySeconds);
  const log = await open(paths.supervisorLog, "a");
  const supervisor = spawn(
    tools.kubernetes,
    [
      "supervisor",
      "-leashed",
      `-dir=${paths.root}`,
      `-kwok=${tools.kwok}`,
      `-stages=${stages}`,
      `-linkerd-controller=${tools.linkerdController}`,
      `-linkerd-tap=${tools.linkerdTap}`,
      `-cert-manager=${tools.certManager}`,
      `-trust-manager=${tools.trustManager}`,
      `-linkerd-sources=${tools.linkerdSources}`,
    ],
    // A session of its own: Ctrl-C is for this process, which then ends the sandbox in order.
    { detached: true, stdio: ["pipe", log.fd, log.fd] },
  );
  await log.close();
  let failure: Error | undefined;
  supervisor.on("error", (error) => (failure = error));
  supervisor.stdin?.on("error", () => undefined); // it has ended, which the loop below finds
  while (!signal.aborted) {
    const status = await sandboxStatus(paths);
    if (failure !== undefined)
      throw new UserError(`${tools.kubernetes} could not be started: ${failure.message}`);
    if (supervisor.exitCode !== null || supervisor.signalCode !== null) {
      throw new UserError(`the sandbox could not start: ${await lastLine(paths)}`, `see ${paths.logs}`);
    }
    if (status?.phase === "ready" && status.pid === supervisor.pid) {
      const release = () => {
        supervisor.stdin?.end("stay\n");
        supervisor.unref();
      };
      return { status, started: true, release };
    }
    await sleep(50);
  }
  await stopSandbox(paths);
  throw new UserError("interrupted while the sandbox was starting");
}

/** kwok's stage that makes a pod Running and Ready. */
const READY_STAGE = "pod-ready";

/** Writes kwok's stages for this sandbox and returns their path. */
async function writeStages(
  paths: InstancePaths,
  tools: SandboxTools,
  readyDelaySeconds: number,
): Promise<string> {
  const stages = parseAllDocuments(await readFile(tools.kwokStages, "utf8"));
  const ready = stages.find((stage) => stage.getIn(["metadata", "name"]) === READY_STAGE);
  if (ready === undefined) throw new Error(`kwok has no stage ${READY_STAGE}`);
  ready.setIn(["spec", "delay", "durationMilliseconds"], readyDelaySeconds * 1000);
  await writeFile(paths.stages, stages.map(String).join("---\n"));
  return paths.stages;
}

async function lastLine(paths: InstancePaths): Promise<string> {
  return (await readFile(paths.supervisorLog, "utf8")).trim().split("\n").at(-1) ?? "";
}

/**
 * Checks, before anything is built, that this system can run a sandbox: Linkerd's controllers find their files in mount
 * namespaces, which some systems forbid to ordinary users, and some containers to root.
 *
 * @throws UserError when it cannot.
 */
export async function requireSandboxes(): Promise<void> {
  if (process.platform !== "linux") {
    throw new UserError(
      `the sandbox needs Linux (mount namespaces, all of 127.0.0.0/8); this is ${process.platform}`,
      "use a Linux machine, or deploy to a cluster of your own: npm run up -- --context NAME",
    );
  }
  const user = process.geteuid?.() === 0 ? [] : ["--user", "--map-root-user"];
  try {
    await run("unshare", [...user, "--mount", "true"]);
  } catch (error) {
    if (error instanceof CommandError && error.notFound) return; // not installed: then it shows later
    throw new UserError(
      `this system does not let this user make a mount namespace: ${messageOf(error)}`,
      "sysctl kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu), or run as root",
    );
  }
}

/** Stops the sandbox if it runs; its data stays for the next start. */
export async function stopSandbox(paths: InstancePaths): Promise<void> {
  const status = await sandboxStatus(paths);
  if (status === undefined || status.pid === 0) return;
  try {
    process.kill(status.pid, constants.signals.SIGTERM);
  } catch {
    return; // it has just ended
  }
  while (await isSupervisor(status.pid, paths)) await sleep(50);
}

/** Memory of the sandbox's processes in MiB, by name: each one's share of what they have in common (PSS). */
export async function memoryOf(status: SandboxStatus): Promise<Readonly<Record<string, number>>> {
  const processes = { supervisor: status.pid, ...status.processes };
  const sizes = Object.entries(processes).map(async ([name, pid]) => {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
    return [name, Math.round(Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) / 1024)] as const;
  });
  return Object.fromEntries(await Promise.all(sizes));
}
