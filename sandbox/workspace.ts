import { LocalWorkspace, PulumiCommand, type PulumiFn, type Stack } from "@pulumi/pulumi/automation";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parse, stringify } from "yaml";
import { UserError } from "./errors";
import { type InstancePaths, PROJECT } from "./paths";
import { run } from "./run";
import type { PulumiTools } from "./tools/tools";

/** A stack's configuration file, as far as it matters here. */
interface StackFile {
  encryptionsalt?: string;
  config?: Record<string, unknown>;
}

/** What a stack is deployed with. */
export interface WorkspaceArgs {
  /** Name of the stack; the checkout has its configuration in Pulumi.NAME.yaml. */
  readonly stack: string;
  readonly paths: InstancePaths;
  /** The tools that were built; undefined to use the machine's own. */
  readonly pulumi: PulumiTools | undefined;
  /** Configuration that goes before that of the file, by full key. */
  readonly overrides: Readonly<Record<string, unknown>>;
}

/**
 * Selects the stack, creating it if needed, in a workspace of its own: the checkout's configuration is read and never
 * written, and neither the user's Pulumi account nor the user's other stacks are touched.
 */
export async function selectStack(args: WorkspaceArgs): Promise<Stack> {
  const { paths, pulumi, stack } = args;
  // Others have no business here: it holds the state.
  await mkdir(paths.root, { recursive: true, mode: 0o700 });
  await mkdir(paths.state, { recursive: true });
  await mkdir(paths.workspace, { recursive: true });
  await copyFile(join(PROJECT, "Pulumi.yaml"), join(paths.workspace, "Pulumi.yaml"));
  await writeStackFile(args);
  await breakStaleLocks(paths);
  return LocalWorkspace.createOrSelectStack(
    { stackName: stack, projectName: "linkerd-mtls", program: await loadProgram() },
    {
      workDir: paths.workspace,
      pulumiCommand: await PulumiCommand.get({ root: pulumi?.root }),
      envVars: {
        ...(pulumi && { PULUMI_HOME: pulumi.home }),
        // After each step this backend writes the whole state: the engine then lives more on memory than on collecting it,
        // and does without a file of checksums beside it.
        GOGC: "400",
        PULUMI_BACKEND_URL: `file://${paths.state}?metadata=skip`,
        PULUMI_CONFIG_PASSPHRASE: await passphrase(paths),
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        PULUMI_SKIP_UPDATE_CHECK: "true",
      },
    },
  );
}

/** A process that was killed a moment ago may still have its last write to finish. */
const ENDING_SECONDS = 10;

/**
 * Removes the locks of operations whose process has died. The state is this machine's alone, so the process that a
 * lock names can be looked up.
 *
 * @throws UserError when another operation is at work.
 */
async function breakStaleLocks({ state }: InstancePaths): Promise<void> {
  const locks = join(state, ".pulumi", "locks");
  if (!existsSync(locks)) return;
  for (const entry of await readdir(locks, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".json")) continue;
    const file = join(entry.parentPath, entry.name);
    const pid = Number(/"pid":\s*(\d+)/.exec(await readFile(file, "utf8"))?.[1]);
    for (let second = 0; await isPulumi(pid); second++) {
      if (second === ENDING_SECONDS) {
        throw new UserError(
          `another operation is at work on this stack (process ${pid})`,
          "wait until it has ended",
        );
      }
      await sleep(1000);
    }
    await rm(file, { force: true }); // one that has ended in order has removed it
  }
}

/** Whether the process lives and is Pulumi's CLI, and not one that got its number later. */
async function isPulumi(pid: number): Promise<boolean> {
  try {
    return (await run("ps", ["-o", "comm=", "-p", String(pid)])).trim().endsWith("pulumi");
  } catch {
    return false; // no such process
  }
}

/** The program itself: the function that `index.ts` exports to Pulumi. */
async function loadProgram(): Promise<PulumiFn> {
  const { default: program } = await import("../index.js");
  return async () => ({ ...(await program()) });
}

function stackFileOf(stack: string): string {
  return join(PROJECT, `Pulumi.${stack}.yaml`);
}

/** @throws UserError unless the checkout has the configuration of that stack. */
export function requireStack(stack: string): void {
  if (existsSync(stackFileOf(stack))) return;
  throw new UserError(
    `there is no stack "${stack}": Pulumi.${stack}.yaml does not exist`,
    "npm run up -- --stack dev",
  );
}

/** The workspace's copy of the stack's file: the checkout's configuration, the overrides, and the copy's own salt. */
async function writeStackFile({ stack, paths, overrides }: WorkspaceArgs): Promise<void> {
  const source = stackFileOf(stack);
  const target = join(paths.workspace, `Pulumi.${stack}.yaml`);
  const committed = parse(await readFile(source, "utf8")) as StackFile;
  // Which cluster it is, the target says.
  const configured = Object.entries(committed.config ?? {}).filter(
    ([key]) => !/^kubernetes:(kubeconfig|context|cluster)$/.test(key),
  );
  const earlier = existsSync(target) ? (parse(await readFile(target, "utf8")) as StackFile) : {};
  const file: StackFile = {
    ...(earlier.encryptionsalt === undefined ? {} : { encryptionsalt: earlier.encryptionsalt }),
    config: { ...Object.fromEntries(configured), ...overrides },
  };
  await writeFile(target, stringify(file));
}

/** The passphrase of the instance's state, made at its first use. */
async function passphrase(paths: InstancePaths): Promise<string> {
  if (!existsSync(paths.passphrase)) {
    await writeFile(paths.passphrase, randomBytes(24).toString("base64url"), { mode: 0o600 });
  }
  return readFile(paths.passphrase, "utf8");
}
