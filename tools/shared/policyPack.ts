import { resolve } from "node:path";

import type { PreviewOptions } from "@pulumi/pulumi/automation";
import type { Command } from "commander";

/** Options of a command whose deployment can be checked by a policy pack. */
export interface PolicyOptions {
  /** Its folder. */
  readonly policyPack?: string;
  /** A JSON file with settings of its rules. */
  readonly policyPackConfig?: string;
}

/** The command with these options. */
export function withPolicyPack(command: Command): Command {
  return command
    .option("--policy-pack <folder>", "check it by this policy pack, too; see docs/policy.md")
    .option("--policy-pack-config <file>", "settings of the policy pack's rules, as JSON");
}

/** What the Automation API is told; Pulumi's CLI runs in a folder of its own. */
export function policyPackOf(
  options: PolicyOptions,
): Pick<PreviewOptions, "policyPacks" | "policyPackConfigs"> {
  const { policyPack, policyPackConfig } = options;
  return {
    ...(policyPack !== undefined && { policyPacks: [resolve(policyPack)] }),
    ...(policyPackConfig !== undefined && { policyPackConfigs: [resolve(policyPackConfig)] }),
  };
}
