import { RunError, runtime } from "@pulumi/pulumi";
import { LocalWorkspace, PulumiCommand, type PulumiFn, Stack } from "@pulumi/pulumi/automation";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, UserError } from "../shared/errors";
import { type InstancePaths, PROJECT } from "../shared/paths";
import { run } from "../shared/run";
import { serveState, type StateService } from "./state";
import { writeStackFile } from "../shared/stackFile";
import type { PulumiTools } from "./build/tools";

/** How long the engine collects entries of its journal before it has them written; a step waits for that. */
const JOURNAL_MILLISECONDS = 2;

/**
 * By how much the memory of the engine and of each provider may grow before garbage is collected. With 100, Go's default, a
 * sixth of the engine's computing is to look for garbage.
 */
const GARBAGE_PERCENT = "400";

/** Options of the SDK's connections to the engine; its types hide them as internal. */
const { grpcClientOptions } = runtime as unknown as { grpcClientOptions: Record<string, unknown> };

// Each engine has a port of its own and goes, while this process stays. Connections that were pooled would take the port of
// one that has gone, when the next engine gets it, for one that refuses.
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
}

/** What is done with a stack that was made ready; its configuration is by full key. */
export type Use<T> = (stack: Stack, configuration: Readonly<Record<string, unknown>>) => Promise<T>;

/**
 * Makes the stack ready, creating it if needed, in a workspace of its own, and gives it away: the checkout's configuration
 * is read and never written, and neither the user's Pulumi account nor the user's other stacks are touched.
 *
 * @throws UserError when another operation is at work on it.
 */
export async function withStack<T>(args: WorkspaceArgs, use: Use<T>): Promise<T> {
  const { paths, pulumi, stack } = args;
  // Others have no business here: it holds the state.
  await mkdir(paths.root, { recursive: true, mode: 0o700 });
  await mkdir(paths.workspace, { recursive: true });
  const state = await serveState(pulumi.state, paths.state);
  try {
    await copyFile(join(PROJECT, "Pulumi.yaml"), join(paths.workspace, "Pulumi.yaml"));
    await writeFile(join(paths.workspace, CREDENTIALS), credentials(state), { mode: 0o600 });
    const { config, isNew } = await writeStackFile(paths, stack, args.overrides);
    // To load the program takes as long as the CLI takes to say its version.
    const [pulumiCommand, program] = await Promise.all([
      PulumiCommand.get({ root: pulumi.home }),
      loadProgram(),
    ]);
    const workspace = await LocalWorkspace.create({
      workDir: paths.workspace,
      program,
      secretsProvider: "passphrase",
      pulumiCommand,
      envVars: {
        ...(pulumi.home !== undefined && { PULUMI_HOME: pulumi.home }),
        GOGC: GARBAGE_PERCENT,
        PULUMI_BACKEND_URL: state.url,
        PULUMI_CONFIG_PASSPHRASE: await passphrase(paths),
        PULUMI_CREDENTIALS_PATH: paths.workspace,
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        PULUMI_DISABLE_JOURNALING: "false",
        PULUMI_JOURNALING_BATCH_PERIOD: String(JOURNAL_MILLISECONDS),
        PULUMI_SKIP_UPDATE_CHECK: "true",
      },
    });
    // The service knows every stack, and each command names its own: to select one takes a start of the CLI for nothing.
    workspace.selectStack = () => Promise.resolve();
    if (isNew) await workspace.createStack(stack); // makes the salt of its encryption
    return await use(await Stack.select(stack, workspace), config);
  } finally {
    await state.close();
    await rm(join(paths.workspace, CREDENTIALS), { force: true });
  }
}

/**
 * Selects a stack that exists already, with the Pulumi CLI on PATH, the backend that it is logged in to, and the
 * checkout's configuration.
 *
 * @param stack Its name, with its organization where it has one: `acme/prod`.
 * @throws UserError when the stack cannot be selected.
 */
export async function selectOwnStack(stack: string): Promise<Stack> {
  try {
    return await LocalWorkspace.selectStack(
      { stackName: stack, projectName: "linkerd-mtls", program: await loadProgram() },
      { workDir: PROJECT },
    );
  } catch (error) {
    throw new UserError(
      `stack ${stack} cannot be selected: ${messageOf(error)}`,
      `pulumi stack select ${stack}`,
      {
        cause: error,
      },
    );
  }
}

/**
 * What the state has of each resource. Secrets stay encrypted, which the Automation API's own export would have decrypted.
 */
export async function stateResources<T>({ name, workspace }: Stack): Promise<readonly T[]> {
  const { pulumiCommand, workDir, envVars } = workspace;
  const exported = await run(pulumiCommand.command, ["stack", "export", "--stack", name], {
    cwd: workDir,
    env: envVars,
  });
  const { deployment } = JSON.parse(exported) as { deployment: { readonly resources?: readonly T[] } };
  return deployment.resources ?? [];
}

/** Name of Pulumi's file of accounts. */
const CREDENTIALS = "credentials.json";

/** As if somebody had logged in to the service a moment ago; Pulumi would say so at each command. */
function credentials({ url, token }: StateService): string {
  const account = { accessToken: token, username: "organization", lastValidatedAt: new Date() };
  return JSON.stringify({ current: url, accessTokens: { [url]: token }, accounts: { [url]: account } });
}

/** The program itself: the function that `index.ts` exports to Pulumi. */
async function loadProgram(): Promise<PulumiFn> {
  const { default: program } = await import("../../index.js");
  return async () => {
    try {
      return { ...(await program()) };
    } catch (error) {
      if (RunError.isInstance(error)) tellOnce(error);
      throw error;
    }
  };
}

/** Pulumi logs what a program throws, and shows it again as the program's end, which then has nothing to add. */
function tellOnce(error: RunError): void {
  process.once("unhandledRejection", () => {
    error.message = `${runtime.isDryRun() ? "preview" : "update"} failed`;
  });
}

/** The passphrase of the instance's state, made at its first use. */
async function passphrase(paths: InstancePaths): Promise<string> {
  if (!existsSync(paths.passphrase)) {
    await writeFile(paths.passphrase, randomBytes(24).toString("base64url"), { mode: 0o600 });
  }
  return readFile(paths.passphrase, "utf8");
}
