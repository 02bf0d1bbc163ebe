import { setTimeout as sleep } from "node:timers/promises";

import { Command, type CommanderError, InvalidArgumentError, Option } from "commander";

import type { ClusterAccess } from "../../components/cluster/client";
import { wait } from "../../components/cluster/waiting";
import { DURATION, parseDuration } from "../../components/validation/duration";
import { messageOf, UserError } from "../shared/errors";
import { interruption } from "../shared/interruption";
import { runToEnd, showError } from "../shared/runToEnd";
import {
  accessOf,
  type ClusterOptions,
  NotAllowed,
  readCluster,
  TIMEOUT_MS,
  withClusterOptions,
} from "./access";
import { chainOf, isConverged } from "./chain";
import { chainTable } from "./chainOutput";
import { type PodName, readLeaf } from "./leaf";
import { type Group, isHealthy } from "./model";
import { format, type Output, OUTPUTS } from "./output";
import { readStackOutputs } from "./stackOutputs";
import { verify } from "./verify";

interface Options extends ClusterOptions {
  readonly output: Output;
  readonly wait?: number;
  readonly traffic?: boolean;
  readonly links?: boolean;
  readonly stackOutputs?: string;
  readonly pods: boolean;
  readonly pod?: PodName;
}

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

/** Asks again until the mesh is healthy, and in any case for the last time at the deadline. */
async function askUntilHealthy(
  access: ClusterAccess,
  { secrets, traffic, links, stackOutputs, wait: deadlineSeconds = 0 }: Options,
): Promise<Group[]> {
  const outputs = stackOutputs === undefined ? undefined : await readStackOutputs(stackOutputs);
  let last: { readonly groups: Group[] } | { readonly error: unknown } | undefined;
  await wait({
    deadlineSeconds,
    // This one keeps the process alive.
    clock: { now: () => performance.now(), sleep: (ms) => sleep(ms) },
    log: (line) => {
      console.error(line);
    },
    interruption: () => ({ signal: interruption.signal, dispose: () => undefined }),
    attempt: async () => {
      try {
        const snapshot = await readCluster(access, {
          withSecrets: secrets,
          withTraffic: traffic,
          withLinks: links,
        });
        const groups = verify(snapshot, outputs);
        last = { groups };
        return isHealthy(groups) ? { done: true } : { done: false, state: stateOf(groups) };
      } catch (error) {
        last = { error };
        return { done: false, state: messageOf(error), final: error instanceof NotAllowed };
      }
    },
    explain: (state) => Promise.resolve(state),
  }).catch(() => undefined); // what was found last is the answer
  if (last === undefined) throw new UserError("interrupted before the cluster answered");
  if ("error" in last) throw last.error;
  return last.groups;
}

function stateOf(groups: readonly Group[]): string {
  const wrong = groups
    .flatMap(({ checks }) => checks)
    .filter(({ result }) => result === "error" || result === "warning");
  return `${wrong.length} findings, the first: ${wrong[0]?.check ?? ""}`;
}

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
  .action((options: Options) =>
    answer(async () => {
      const groups = await askUntilHealthy(accessOf(options), options);
      console.log(format(groups, options.output));
      return isHealthy(groups);
    }),
  );

const chain = asking(new Command("chain"), ["table", "json"])
  .description("show who signed whom: trust anchors, issuer, CAs and certificates of webhooks and tap")
  .option("--pods", "and the pods that have not converged to the trust bundle, by owner", false)
  .option("--pod <namespace/name>", "and the certificate that this pod's proxy has now", podName)
  .action((options: Options) =>
    answer(async () => {
      const access = accessOf(options);
      const snapshot = await readCluster(access, { withSecrets: options.secrets });
      const leaf = options.pod && (await readLeaf(access, snapshot.pods, options.pod, TIMEOUT_MS));
      const all = chainOf(snapshot, { withPods: options.pods, leaf });
      console.log(options.output === "json" ? JSON.stringify(all, undefined, 2) : chainTable(all));
      return isConverged(all, snapshot.now);
    }),
  );

runToEnd(
  new Command("linkerd-mtls-verify")
    .description("Checks a mesh, whoever installed it, and changes nothing. See docs/verify.md.")
    .addHelpText("after", () => `\n${check.helpInformation()}${EXIT_CODES}`)
    .exitOverride(exit)
    .addCommand(check, { isDefault: true })
    .addCommand(chain),
);
