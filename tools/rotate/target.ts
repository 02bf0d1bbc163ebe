import { existsSync } from "node:fs";
import { basename } from "node:path";

import type { Stack } from "@pulumi/pulumi/automation";

import type { ClusterAccess } from "../../components/cluster/client";
import { prepare } from "../sandbox/build/prepare";
import { pulumiTools } from "../sandbox/build/pulumi";
import { withStack } from "../sandbox/workspace";
import { UserError } from "../shared/errors";
import { interruption } from "../shared/interruption";
import { contextPaths, DEFAULT_SANDBOX, type InstancePaths, sandboxPaths } from "../shared/paths";
import { selectOwnStack } from "../shared/stack";
import { checkoutFile, givenValues, readStackFile, requireStack, workspaceFile } from "../shared/stackFile";

/** Which stack is rotated, and where it is deployed. */
export interface TargetOptions {
  readonly stack: string;
  /** Of which sandbox. */
  readonly name: string;
  /** Of `npm run up -- --context`, instead of a sandbox. */
  readonly context?: string;
  /** Configuration that goes before the stack's, each as KEY=VALUE. */
  readonly config: readonly string[];
  /** Of the Pulumi CLI on PATH, instead of a sandbox. */
  readonly cli: boolean;
}

/** A stack that was selected. */
export interface Selected {
  readonly stack: Stack;
  /** The file with its configuration, which may be edited. */
  readonly file: string;
  /** Its configuration by full key. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly access: ClusterAccess;
}

/**
 * Selects the stack for as long as `use` takes.
 *
 * @throws UserError where it was never deployed there.
 */
export async function withSelected<T>(
  options: TargetOptions,
  use: (selected: Selected) => Promise<T>,
): Promise<T> {
  return options.cli ? use(await selectCli(options)) : withInstance(options, use);
}

/** The instance's folder: a sandbox, or a context. */
export function pathsOf({ name, context }: TargetOptions): InstancePaths {
  return context === undefined ? sandboxPaths(name) : contextPaths(context);
}

async function selectCli({ stack: name }: TargetOptions): Promise<Selected> {
  const stack = await selectOwnStack(name);
  const file = checkoutFile(basename(name));
  const { config = {} } = await readStackFile(file);
  const valueOf = async (key: string): Promise<string | undefined> =>
    config[key] === undefined ? undefined : (await stack.getConfig(key)).value;
  return {
    stack,
    file,
    values: config,
    access: {
      kubeconfig: await valueOf("kubernetes:kubeconfig"),
      context: await valueOf("kubernetes:context"),
    },
  };
}

async function withInstance<T>(options: TargetOptions, use: (selected: Selected) => Promise<T>): Promise<T> {
  const { stack: name, context, config } = options;
  requireStack(name);
  const paths = pathsOf(options);
  if (context === undefined && !existsSync(paths.kubeconfig)) {
    throw new UserError(`sandbox "${options.name}" was never started`, "npm run up");
  }
  const access = context === undefined ? { kubeconfig: paths.kubeconfig } : { context };
  const pulumi = await pulumiTools();
  await prepare([pulumi], interruption.signal);
  const args = { stack: name, paths, pulumi: pulumi.tools, overrides: givenValues(config) };
  return withStack(args, (stack, values) => use({ stack, file: workspaceFile(paths, name), values, access }));
}

/** The command that was typed, without what it rotates. */
export function commandOf({ stack, name, context, cli, config }: TargetOptions): string {
  const where =
    context !== undefined ? ["--context", context] : name === DEFAULT_SANDBOX ? [] : ["--name", name];
  const options = [
    ...(stack === "dev" ? [] : ["--stack", stack]),
    ...(cli ? ["--cli"] : where),
    ...config.map((value) => `-c '${value}'`),
  ];
  return ["npm run rotate --", ...options].join(" ");
}
