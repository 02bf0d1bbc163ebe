import { Command, type CommanderError, InvalidArgumentError, Option } from "commander";

import { DURATION, parseDuration } from "../../components/validation/duration";
import { runToEnd, showError } from "../shared/runToEnd";
import type { ChainOptions, CheckOptions } from "./actions";
import { withClusterOptions } from "./clusterOptions";
import type { PodName } from "./leaf";
import { OUTPUTS } from "./output";

/** Exit codes, beside 0 for a mesh that is healthy. */
const FOUND = 1;
const CANNOT_ASK = 2;

function seconds(text: string): number {
  const value = parseDuration(text);
  if (value === undefined) throw new InvalidArgumentError(DURATION.rule);
  return value;
}

function podName(text: string): PodName {
  const [, namespace, name] = /^([^/]+)\/([^/]+)$/.exec(text) ?? [];
  if (namespace === undefined || name === undefined) throw new InvalidArgumentError("must be NAMESPACE/NAME");
  return { namespace, name };
}

/** Loaded once the arguments are known to be right: Pulumi's SDK and the Kubernetes client take seconds. */
// eslint-disable-next-line @typescript-eslint/no-require-imports -- tsx compiles what is required, not what import() loads
const actions = () => require("./actions") as typeof import("./actions");

/** Shows every failure, and ends with the code of one who could not ask. */
async function answer(action: () => Promise<boolean>): Promise<void> {
  try {
    process.exitCode = (await action()) ? 0 : FOUND;
  } catch (error) {
    showError(error);
    process.exitCode = CANNOT_ASK;
  }
}

/** Ends with the code of wrong usage. */
function exit({ exitCode }: CommanderError): never {
  process.exit(exitCode === 0 ? 0 : CANNOT_ASK);
}

/** With the options that say which cluster is asked, for what, and how the answer is written. */
function asking(command: Command, outputs: readonly string[]): Command {
  return withClusterOptions(command)
    .addOption(new Option("--output <format>", "how the answer is written").choices(outputs).default("table"))
    .exitOverride(exit)
    .showHelpAfterError();
}

const EXIT_CODES =
  "\nExit codes: 0 healthy, 1 something was found, 2 the cluster cannot be asked, or wrong usage.";

const check = asking(new Command("check"), OUTPUTS)
  .description("check everything; the default")
  .option("--wait <duration>", "ask again until the mesh is healthy, for this long at most", seconds)
  .option(
    "--stack-outputs <file>",
    "compare with what pulumi stack output --json has written; - for standard input",
  )
  .option("--links", "ask the clusters of Links whether both ends trust each other")
  .option("--traffic", "ask each proxy for connections to meshed pods without TLS")
  .action((options: CheckOptions) => answer(() => actions().check(options)));

const chain = asking(new Command("chain"), ["table", "json"])
  .description("show who signed whom: trust anchors, issuer, CAs and certificates of webhooks and tap")
  .option("--pods", "and the pods that have not converged to the trust bundle, by owner", false)
  .option("--pod <namespace/name>", "and the certificate that this pod's proxy has now", podName)
  .action((options: ChainOptions) => answer(() => actions().chain(options)));

runToEnd(
  new Command("linkerd-mtls-verify")
    .description("Checks a mesh, whoever installed it, and changes nothing. See docs/verify.md.")
    .addHelpText("after", () => `\n${check.helpInformation()}${EXIT_CODES}`)
    .exitOverride(exit)
    .addCommand(check, { isDefault: true })
    .addCommand(chain),
);
