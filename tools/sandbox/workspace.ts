import { runtime } from "@pulumi/pulumi";
import { LocalWorkspace, PulumiCommand, Stack } from "@pulumi/pulumi/automation";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type InstancePaths, PROJECT } from "../shared/paths";
import { loadProgram } from "../shared/stack";
import { writeStackFile } from "../shared/stackFile";
import { fileBackend, type OpenBackend } from "./backend";
import type { PulumiTools } from "./build/pulumi";

/**
 * By how much the memory of the engine and of each provider may grow before garbage is collected. With 100, Go's default, a
 * sixth of the engine's computing is to look for garbage.
 */
const GARBAGE_PERCENT = "400";

/** Options of the SDK's connections to the engine; its types hide them as internal. */
const { grpcClientOptions } = runtime as unknown as { grpcClientOptions: Record<string, unknown> };

// grpc-js pools connections by address. In a process with several operations an engine may get the port of one that has
// gone, and the pool takes it for one that refuses: "14 UNAVAILABLE: No connection established", once in some fifty
// operations of a test run.
grpcClientOptions["grpc.use_local_subchannel_pool"] = 1;

/** What a stack is deployed with. */
export interface WorkspaceArgs {
  /** Name of the stack; the checkout has its configuration in Pulumi.NAME.yaml. */
  readonly stack: string;
  readonly paths: InstancePaths;
  /** The tools that were built; undefined to use the machine's own. */
  readonly pulumi: PulumiTools;
  /** Configuration that goes before that of the file, by full key. */
  readonly overrides: Readonly<Record<string, unknown>>;
  /** Where the state is kept. Default: a `file://` backend in the instance's folder. */
  readonly backend?: OpenBackend;
}

/** What is done with a stack that was made ready; its configuration is by full key. */
export type Use<T> = (stack: Stack, configuration: Readonly<Record<string, unknown>>) => Promise<T>;

/**
 * Makes the stack ready, creating it if needed, in a workspace of its own, and calls `use` with it: the checkout's
 * configuration is read and never written, and neither the user's Pulumi account nor the user's other stacks are touched.
 *
 * @throws UserError while another operation is at work on it.
 */
export async function withStack<T>(args: WorkspaceArgs, use: Use<T>): Promise<T> {
  const { paths, pulumi, stack, backend: open = fileBackend } = args;
  // It holds the state: nobody else may read it.
  await mkdir(paths.root, { recursive: true, mode: 0o700 });
  await mkdir(paths.workspace, { recursive: true });
  const backend = await open(paths);
  try {
    await copyFile(join(PROJECT, "Pulumi.yaml"), join(paths.workspace, "Pulumi.yaml"));
    const { config, isNew } = await writeStackFile(paths, stack, args.overrides);
    // The CLI says its version while the program is loaded, which takes as long.
    const command = PulumiCommand.get({ root: pulumi.home });
    const program = loadProgram();
    const workspace = await LocalWorkspace.create({
      workDir: paths.workspace,
      program,
      secretsProvider: "passphrase",
      pulumiCommand: await command,
      envVars: {
        ...(pulumi.home !== undefined && { PULUMI_HOME: pulumi.home }),
        GOGC: GARBAGE_PERCENT,
        PULUMI_CONFIG_PASSPHRASE: await passphrase(paths),
        PULUMI_CREDENTIALS_PATH: paths.workspace,
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        PULUMI_SKIP_UPDATE_CHECK: "true",
        ...backend.env,
      },
    });
    // To create it makes the salt of its secrets. A stack that was removed may have kept its salt, with its certificates.
    const opened = isNew ? Stack.create(stack, workspace) : Stack.createOrSelect(stack, workspace);
    return await use(await opened, config);
  } finally {
    await backend.close();
  }
}

/** The passphrase of the instance's state, made at its first use. */
async function passphrase(paths: InstancePaths): Promise<string> {
  if (!existsSync(paths.passphrase)) {
    await writeFile(paths.passphrase, randomBytes(24).toString("base64url"), { mode: 0o600 });
  }
  return readFile(paths.passphrase, "utf8");
}
