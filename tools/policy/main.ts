import { readFile } from "node:fs/promises";

import { Command } from "commander";

import { RULES } from "../../policy/rules";
import { messageOf, UserError } from "../shared/errors";
import { runToEnd } from "../shared/runToEnd";
import { resourcesOf, type Settings, violationsOf } from "./state";

interface Options {
  readonly state: string;
  readonly policyPackConfig?: string;
}

/** Standard input. */
const STDIN = "-";

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file === STDIN ? "/dev/stdin" : file, "utf8"));
  } catch (error) {
    throw new UserError(`${file} cannot be read as JSON: ${messageOf(error)}`, EXPORT, { cause: error });
  }
}

const EXPORT = "pulumi stack export | npm run -s policy";

const program = new Command("linkerd-mtls-policy")
  .description(
    "Checks an exported state by the rules of policy/, which Pulumi itself asks only before a change.",
  )
  .option("--state <file>", "the output of pulumi stack export; - for standard input", STDIN)
  .option("--policy-pack-config <file>", "settings of the rules, as JSON")
  .showHelpAfterError()
  .action(async ({ state, policyPackConfig }: Options) => {
    const settings = policyPackConfig === undefined ? {} : ((await readJson(policyPackConfig)) as Settings);
    let resources;
    try {
      resources = resourcesOf(await readJson(state));
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw new UserError(`${state} is no state: ${messageOf(error)}`, EXPORT, { cause: error });
    }
    const violations = violationsOf(resources, RULES, settings);
    for (const { rule, message } of violations) {
      console.log(`[${rule.enforcementLevel}] ${rule.name}: ${message}`);
    }
    console.log(`${resources.length} resources, ${RULES.length} rules, ${violations.length} violations.`);
    process.exitCode = violations.length === 0 ? 0 : 1;
  });

runToEnd(program);
