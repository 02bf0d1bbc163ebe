import type { Command } from "commander";
import type { OpenBackend } from "./backend";
import { deploy, deployCommand, type DeployOptions } from "./command";
import type { UpOptions } from "./deploy";
import { type PolicyOptions, withPolicyPack } from "../shared/policyPack";
import { stopSandbox } from "./supervisor";
import { confirmContext } from "./target";

/** Loaded when a cluster is there: Pulumi's SDK takes seconds, and most wrong input is found without it. */
// eslint-disable-next-line @typescript-eslint/no-require-imports -- tsx compiles what is required, not what import() loads
const operations = () => require("./deploy") as typeof import("./deploy");

/**
 * The commands `up`, `preview` and `down`.
 *
 * @param backend Where they keep the state. Default: a `file://` backend in the instance's folder.
 */
export function deploymentCommands(backend?: OpenBackend): readonly Command[] {
  return [
    withPolicyPack(deployCommand("up", "start the sandbox if needed and deploy"))
      .option("--critical-path", "print which resources the deployment waited for, and how long", false)
      .action(async (options: DeployOptions & UpOptions & PolicyOptions) => {
        await confirmContext(options, "Deploy");
        await deploy(
          options,
          (target, stack, config) => operations().up(target, stack, config, options),
          backend,
        );
      }),
    withPolicyPack(deployCommand("preview", "show what a deployment would change")).action(
      async (options: DeployOptions & PolicyOptions) => {
        await deploy(
          options,
          (target, stack, config) => operations().preview(target, stack, config, options),
          backend,
        );
      },
    ),
    deployCommand("down", "destroy what was deployed, stop the sandbox and remove it")
      .option("--keep", "only destroy: the sandbox goes on, empty", false)
      .action(async (options: DeployOptions & { keep: boolean }) => {
        await confirmContext(options, "Destroy the deployment");
        const target = await deploy(options, (...args) => operations().destroy(...args), backend);
        // The files of a context are kept: its cluster may have other stacks.
        if (options.keep || options.context !== undefined) return;
        await stopSandbox(target.paths);
        await operations().forget(target);
      }),
  ];
}
