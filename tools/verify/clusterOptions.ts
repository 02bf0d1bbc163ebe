import { type Command, Option } from "commander";

import { DEFAULT_SANDBOX } from "../shared/paths";

/** Which cluster is asked, and for what. */
export interface ClusterOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly name: string;
  readonly secrets: boolean;
}

/** Adds {@link ClusterOptions} to a command. */
export function withClusterOptions(command: Command): Command {
  return command
    .option("--kubeconfig <file>", "of your own cluster, instead of a sandbox")
    .option("--context <context>", "a context of your kubeconfig: your own cluster instead of a sandbox")
    .addOption(
      new Option("--name <name>", "which sandbox")
        .default(DEFAULT_SANDBOX)
        .conflicts(["kubeconfig", "context"]),
    )
    .option("--no-secrets", "do not read Secrets: what is in them is not checked");
}
