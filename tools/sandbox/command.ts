import { Command, InvalidArgumentError } from "commander";
import { interruption } from "../shared/interruption";
import { DEFAULT_SANDBOX } from "../shared/paths";
import { checkoutFile, givenValues, readStackFile, requireStack } from "../shared/stackFile";
import type { OpenBackend } from "./backend";
import { toolsFor } from "./needs";
import { contextTarget, sandboxTarget, type Target, type TargetOptions } from "./target";

/** Options of every command that deploys, or shows what a deployment would do. */
export interface DeployOptions {
  readonly stack: string;
  readonly name: string;
  readonly context?: string;
  readonly config: readonly string[];
  readonly yes: boolean;
}

const { signal } = interruption;

/** A command with these options. */
export function deployCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option("--stack <stack>", "the stack, that is, its file Pulumi.<stack>.yaml", "dev")
    .option("--name <name>", "which sandbox; several can run side by side", DEFAULT_SANDBOX)
    .option("--context <context>", "a context of your kubeconfig: your own cluster instead of a sandbox")
    .option("-c, --config <key=value>", "configuration that goes before the stack's; repeatable", append, [])
    .option("--yes", "do not ask before your own cluster is changed", false);
}

function targetOf({ context, name }: DeployOptions, options: TargetOptions): Promise<Target> {
  return context === undefined
    ? sandboxTarget(name, signal, options)
    : contextTarget(context, signal, options);
}

/** Runs a deployment; when it is interrupted, what it started is ended, and when it is over, that stays. */
export async function deploy(
  options: DeployOptions,
  action: (target: Target, stack: string, config: readonly string[]) => Promise<void>,
  backend?: OpenBackend,
): Promise<Target> {
  requireStack(options.stack);
  const { config = {} } = await readStackFile(checkoutFile(options.stack));
  const tools = toolsFor({ ...config, ...givenValues(options.config) });
  const target = await targetOf(options, { backend, tools });
  try {
    await action(target, options.stack, options.config);
  } finally {
    if (signal.aborted) await target.abandon();
    else target.release();
  }
  return target;
}

function append(value: string, values: readonly string[]): readonly string[] {
  if (!/^[^=:]+:[^=]+=/.test(value)) {
    throw new InvalidArgumentError("expected NAMESPACE:KEY=VALUE, e.g. linkerd-mtls:guardMode=warn");
  }
  if (/^kubernetes:(kubeconfig|context|cluster)=/.test(value)) {
    throw new InvalidArgumentError("the cluster is chosen by --name or --context");
  }
  return [...values, value];
}
