import { Command, InvalidArgumentError } from "commander";
import { destroy, forget, preview, up } from "./deploy";
import { messageOf, UserError } from "./errors";
import { interruption } from "./interruption";
import { sandboxPaths } from "./paths";
import { memoryOf, requireSandboxes, sandboxStatus, startSandbox, stopSandbox } from "./supervisor";
import { confirmContext, contextTarget, sandboxTarget, type Target } from "./target";
import { prepare, pulumiTools, sandboxTools } from "./tools/tools";
import { requireStack } from "./workspace";

/** Options of up, preview and down. */
interface DeployOptions {
  readonly stack: string;
  readonly name: string;
  readonly context?: string;
  readonly config: readonly string[];
  readonly yes: boolean;
}

const { signal } = interruption;

async function targetOf({ context, name }: DeployOptions): Promise<Target> {
  return context === undefined ? sandboxTarget(name, signal) : contextTarget(context, signal);
}

/** Runs a deployment; when it is interrupted, what it started is ended, and when it is over, that stays. */
async function deploy(
  options: DeployOptions,
  action: (target: Target, stack: string, config: readonly string[]) => Promise<void>,
): Promise<Target> {
  requireStack(options.stack);
  const target = await targetOf(options);
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

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 3600)) {
    throw new InvalidArgumentError("expected a number of seconds, from 0 to 3600");
  }
  return value;
}

function deployCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option("--stack <stack>", "the stack, that is, its file Pulumi.<stack>.yaml", "dev")
    .option("--name <name>", "which sandbox; several can run side by side", "default")
    .option("--context <context>", "a context of your kubeconfig: your own cluster instead of a sandbox")
    .option("-c, --config <key=value>", "configuration that goes before the stack's; repeatable", append, [])
    .option("--yes", "do not ask before your own cluster is changed", false);
}

const program = new Command("linkerd-mtls")
  .description("Deploys the program to a sandbox on this machine, or to a cluster of yours.")
  .showHelpAfterError();

program.addCommand(
  deployCommand("up", "start the sandbox if needed and deploy").action(async (options: DeployOptions) => {
    await confirmContext(options, "Deploy");
    await deploy(options, up);
  }),
);

program.addCommand(
  deployCommand("preview", "show what a deployment would change").action(async (options: DeployOptions) => {
    await deploy(options, preview);
  }),
);

program.addCommand(
  deployCommand("down", "destroy what was deployed, stop the sandbox and remove it")
    .option("--keep", "only destroy: the sandbox goes on, empty", false)
    .action(async (options: DeployOptions & { keep: boolean }) => {
      await confirmContext(options, "Destroy the deployment");
      const target = await deploy(options, destroy);
      if (options.keep) return;
      // What is known of somebody's cluster is kept: it may have other stacks.
      if (options.context !== undefined) return;
      await stopSandbox(target.paths);
      await forget(target);
    }),
);

const sandbox = new Command("sandbox").description("the Kubernetes control plane on this machine");
const nameOption = ["--name <name>", "which sandbox", "default"] as const;

sandbox
  .command("tools")
  .description("build the tools that are missing, and do no more")
  .action(async () => {
    await prepare([await pulumiTools(), await sandboxTools()], signal);
  });

sandbox
  .command("start")
  .description("start it; it runs until it is stopped")
  .option(...nameOption)
  .option("--ready-delay <seconds>", "how long each pod takes to become ready", seconds, 0)
  .action(async ({ name, readyDelay }: { name: string; readyDelay: number }) => {
    await requireSandboxes();
    const toolset = await sandboxTools();
    await prepare([toolset], signal);
    const running = await startSandbox(sandboxPaths(name), toolset.tools, signal, {
      readyDelaySeconds: readyDelay,
    });
    running.release();
    console.log(`Kubernetes answers at ${running.status.apiServer}.`);
  });

sandbox
  .command("stop")
  .description("stop it; its data stays for the next start")
  .option(...nameOption)
  .action(async ({ name }: { name: string }) => {
    await stopSandbox(sandboxPaths(name));
  });

sandbox
  .command("status")
  .description("what runs, and its memory; exit code 3 when it does not run")
  .option(...nameOption)
  .action(async ({ name }: { name: string }) => {
    const status = await sandboxStatus(sandboxPaths(name));
    if (status?.phase !== "ready") {
      console.log([status?.phase ?? "never started", status?.message].filter(Boolean).join(": "));
      process.exitCode = 3;
      return;
    }
    const memory = Object.entries(await memoryOf(status));
    const total = memory.reduce((sum, [, mebibytes]) => sum + mebibytes, 0);
    console.log(`ready at ${status.apiServer}`);
    for (const [process, mebibytes] of [...memory, ["total", total] as const]) {
      console.log(`${String(mebibytes).padStart(6)} MiB  ${process}`);
    }
  });

sandbox
  .command("kubeconfig")
  .description("print the path of its kubeconfig and nothing else")
  .option(...nameOption)
  .action(({ name }: { name: string }) => {
    console.log(sandboxPaths(name).kubeconfig);
  });

program.addCommand(sandbox);

/** Exit code of a process that Ctrl-C ended, by convention. */
const INTERRUPTED = 130;

program.parseAsync().then(
  () => process.exit(signal.aborted ? INTERRUPTED : process.exitCode),
  (error: unknown) => {
    const known = error instanceof UserError;
    console.error(
      `\nerror: ${known || !(error instanceof Error) ? messageOf(error) : (error.stack ?? error.message)}`,
    );
    if (known && error.remedy !== undefined) console.error(`try: ${error.remedy}`);
    process.exit(signal.aborted ? INTERRUPTED : 1);
  },
);
