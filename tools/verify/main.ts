import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { Command, InvalidArgumentError, Option } from "commander";

import { type ClusterAccess, describeError } from "../../components/cluster/client";
import { wait } from "../../components/cluster/waiting";
import { DURATION, parseDuration } from "../../components/validation/duration";
import { UserError } from "../shared/errors";
import { interruption } from "../shared/interruption";
import { DEFAULT_SANDBOX, sandboxPaths } from "../shared/paths";
import { runToEnd, showError } from "../shared/runToEnd";
import { type Group, isHealthy } from "./model";
import { format, type Output, OUTPUTS } from "./output";
import { readSnapshot } from "./snapshot";
import { verify } from "./verify";

interface Options {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly name: string;
  readonly output: Output;
  readonly secrets: boolean;
  readonly wait?: number;
}

/** Exit codes, beside 0 for a mesh that is healthy. */
const FOUND = 1;
const CANNOT_ASK = 2;

/** How long an API server may take for one answer. */
const TIMEOUT_MS = 15_000;

function seconds(text: string): number {
  const value = parseDuration(text);
  if (value === undefined) throw new InvalidArgumentError(DURATION.rule);
  return value;
}

function accessOf({ kubeconfig, context, name }: Options): ClusterAccess {
  if (kubeconfig !== undefined) {
    if (existsSync(kubeconfig)) return { kubeconfig, context };
    throw new UserError(`there is no file ${kubeconfig}`, "--kubeconfig ~/.kube/config");
  }
  if (context !== undefined) return { context };
  const sandbox = sandboxPaths(name).kubeconfig;
  if (existsSync(sandbox)) return { kubeconfig: sandbox };
  throw new UserError(
    `sandbox "${name}" was never started, and neither --kubeconfig nor --context names another cluster`,
    "kubectl config get-contexts",
  );
}

/** @throws UserError where there is no answer, or a permission is missing. */
async function ask(access: ClusterAccess, withSecrets: boolean): Promise<Group[]> {
  try {
    return verify(await readSnapshot(access, { withSecrets, timeoutMs: TIMEOUT_MS }));
  } catch (error) {
    const { status, message } = describeError(error);
    throw new UserError(
      `the cluster cannot be asked: ${message}`,
      status === 403
        ? "grant the Roles in docs/verify.md, or leave out what is in Secrets with --no-secrets"
        : "kubectl get --raw /readyz",
      { cause: error },
    );
  }
}

/** Asks again until the mesh is healthy, and in any case for the last time at the deadline. */
async function askUntilHealthy(
  access: ClusterAccess,
  { secrets, wait: deadlineSeconds = 0 }: Options,
): Promise<Group[]> {
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
        const groups = await ask(access, secrets);
        last = { groups };
        return isHealthy(groups) ? { done: true } : { done: false, state: stateOf(groups) };
      } catch (error) {
        last = { error };
        return { done: false, state: error instanceof Error ? error.message : String(error) };
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

const program = new Command("linkerd-mtls-verify")
  .description("Checks a mesh, whoever installed it, and changes nothing. See docs/verify.md.")
  .option("--kubeconfig <file>", "of your own cluster, instead of a sandbox")
  .option("--context <context>", "a context of your kubeconfig: your own cluster instead of a sandbox")
  .addOption(
    new Option("--name <name>", "which sandbox")
      .default(DEFAULT_SANDBOX)
      .conflicts(["kubeconfig", "context"]),
  )
  .addOption(new Option("--output <format>", "how the answer is written").choices(OUTPUTS).default("table"))
  .option("--no-secrets", "do not read Secrets: what is in them is not checked")
  .option("--wait <duration>", "ask again until the mesh is healthy, for this long at most", seconds)
  .addHelpText(
    "after",
    "\nExit codes: 0 healthy, 1 something was found, 2 the cluster cannot be asked, or wrong usage.",
  )
  .showHelpAfterError()
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : CANNOT_ASK))
  .action(async (options: Options) => {
    try {
      const groups = await askUntilHealthy(accessOf(options), options);
      console.log(format(groups, options.output));
      process.exitCode = isHealthy(groups) ? 0 : FOUND;
    } catch (error) {
      showError(error);
      process.exitCode = CANNOT_ASK;
    }
  });

runToEnd(program);
