import { Command, InvalidArgumentError } from "commander";
import { deploymentCommands } from "./commands";
import { interruption } from "../shared/interruption";
import { DEFAULT_SANDBOX, sandboxPaths } from "../shared/paths";
import { runToEnd } from "../shared/runToEnd";
import { memoryOf, requireSandboxes, sandboxStatus, startSandbox, stopSandbox } from "./supervisor";
import { prepare } from "./build/prepare";
import { pulumiTools } from "./build/pulumi";
import { helmTool } from "./build/helm";
import { ALL_TOOLS, sandboxTools } from "./build/tools";

const { signal } = interruption;

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 3600)) {
    throw new InvalidArgumentError("expected a number of seconds, from 0 to 3600");
  }
  return value;
}

const program = new Command("linkerd-mtls")
  .description("Deploys the program to a sandbox on this machine, or to a cluster of yours.")
  .showHelpAfterError();

deploymentCommands().forEach((command) => program.addCommand(command));

const sandbox = new Command("sandbox").description("the Kubernetes control plane on this machine");
const nameOption = ["--name <name>", "which sandbox", DEFAULT_SANDBOX] as const;

sandbox
  .command("tools")
  .description("build all tools that are missing")
  .action(async () => {
    await prepare([await pulumiTools(), await sandboxTools(ALL_TOOLS), await helmTool()], signal);
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
    for (const [container, path] of Object.entries(status.missing ?? {})) {
      console.log(`MISSING  ${container} waits for ${path}: npm run sandbox -- tools`);
    }
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

runToEnd(program);
