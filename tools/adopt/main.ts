import { basename } from "node:path";

import type { Stack } from "@pulumi/pulumi/automation";
import { Command, InvalidArgumentError, Option } from "commander";

import { type ClusterAccess, describeError } from "../../components/cluster/client";
import { CHART_SOURCE, DEFAULT_CHART_SOURCE, isObject } from "../../components/rules";
import { prepare } from "../sandbox/build/prepare";
import { pulumiTools } from "../sandbox/build/pulumi";
import { sandboxTools } from "../sandbox/build/tools";
import { withStack } from "../sandbox/workspace";
import { UserError } from "../shared/errors";
import { interruption } from "../shared/interruption";
import { sandboxPaths } from "../shared/paths";
import { runToEnd } from "../shared/runToEnd";
import { PROJECT_NAME, selectOwnStack } from "../shared/stack";
import { checkoutFile, keepAdopted, readStackFile, requireStack, workspaceFile } from "../shared/stackFile";
import { planAdoption } from "./plan";
import type { Present } from "./present";
import { readPresent } from "./read";
import { describeBlocked, describeChanges, describeLeft, describePresent } from "./report";
import { describeReleased, release } from "./release";
import { type Change, changesOf, write } from "./write";

interface Options {
  readonly stack: string;
  readonly context?: string;
  readonly name?: string;
  readonly chartSource?: string;
  readonly plan: boolean;
  readonly release: boolean;
}

/** Where the configuration is written. */
interface Target {
  readonly stack: Stack;
  readonly file: string;
  /** By full key. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly access: ClusterAccess;
  readonly chartSource: string;
  /** Keys that the cluster and its charts are known by. */
  readonly others: Readonly<Record<string, unknown>>;
}

const { signal } = interruption;
const FORBIDDEN = 403;

/** Key that says what the stack may take over. */
const ADOPT = `${PROJECT_NAME}:adopt`;

function source(text: string): string {
  if (CHART_SOURCE.allows(text)) return text;
  throw new InvalidArgumentError(CHART_SOURCE.rule);
}

async function present(access: ClusterAccess): Promise<Present> {
  let found: Present | undefined;
  try {
    found = await readPresent(access);
  } catch (error) {
    const { status, message } = describeError(error);
    throw new UserError(
      `the cluster cannot be asked: ${message}`,
      status === FORBIDDEN ? "use the account of somebody who may read Secrets" : "kubectl get --raw /readyz",
      { cause: error },
    );
  }
  if (found !== undefined) return found;
  throw new UserError("the cluster has no Linkerd to adopt: ConfigMap linkerd/linkerd-config does not exist");
}

/** Gives back what the stack has taken over. */
async function giveBack(
  { stack, file, config, access }: Target,
  options: Options,
): Promise<readonly Change[]> {
  if (!isObject(config[ADOPT])) {
    throw new UserError(`stack ${options.stack} has taken nothing over: ${ADOPT} is not set`);
  }
  const released = await release(stack, access, options.plan);
  console.log(describeReleased(released, options.stack, options.plan).join("\n"));
  if (options.plan) return [];
  const changes = [{ key: ADOPT, isSecret: false }];
  await write(stack, file, changes, signal);
  return changes;
}

/** @returns The keys that were written. */
async function adopt(
  { stack, file, config, access, chartSource, others }: Target,
  options: Options,
): Promise<readonly Change[]> {
  const mesh = await present(access);
  console.log(describePresent(mesh).join("\n"));
  const prefix = `${PROJECT_NAME}:`;
  const own = Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
  const plan = planAdoption(mesh, { config: own, chartSource });
  if (plan.blocked.length > 0) throw new UserError(describeBlocked(plan));
  const changes = await changesOf(stack, config, plan, others);
  const head = options.plan ? "would get" : "gets";
  if (changes.length === 0) console.log(`\nStack ${options.stack} has this configuration already.`);
  else console.log(`\nStack ${options.stack} ${head}:\n${describeChanges(changes).join("\n")}`);
  if (plan.left.length > 0) console.log(`\nNot carried over:\n${describeLeft(plan.left).join("\n")}`);
  if (options.plan || changes.length === 0) return [];
  await write(stack, file, changes, signal);
  console.log("\nThe configuration was written. Nothing in the cluster was changed.");
  return changes;
}

/** For the checkout's stack, with the Pulumi CLI on PATH and the backend that it is logged in to. */
async function forOwnStack(options: Options): Promise<void> {
  const { context, chartSource } = options;
  const file = checkoutFile(basename(options.stack));
  const { config = {} } = await readStackFile(file);
  const configured = config[`${PROJECT_NAME}:chartSource`];
  const from = chartSource ?? (typeof configured === "string" ? configured : DEFAULT_CHART_SOURCE);
  await (options.release ? giveBack : adopt)(
    {
      stack: await selectOwnStack(options.stack),
      file,
      config,
      access: { context },
      chartSource: from,
      others: {
        "kubernetes:context": context,
        ...(chartSource !== undefined && { [`${PROJECT_NAME}:chartSource`]: chartSource }),
      },
    },
    options,
  );
}

/** For the stack of a sandbox, whose configuration is kept apart from the checkout. */
async function forSandbox(options: Options, name: string): Promise<void> {
  requireStack(options.stack);
  const paths = sandboxPaths(name);
  const [pulumi, sandbox] = [await pulumiTools(), await sandboxTools()];
  await prepare([pulumi, sandbox], signal);
  await withStack(
    { stack: options.stack, paths, pulumi: pulumi.tools, overrides: {} },
    async (stack, config) => {
      const target: Target = {
        stack,
        file: workspaceFile(paths, options.stack),
        config,
        access: { kubeconfig: paths.kubeconfig },
        chartSource: sandbox.tools.charts,
        others: {},
      };
      const changes = await (options.release ? giveBack : adopt)(target, options);
      if (changes.length === 0) return;
      await keepAdopted(
        paths,
        options.stack,
        changes.map(({ key }) => key),
      );
    },
  );
}

const program = new Command("adopt")
  .description(
    "Reads the Linkerd that a cluster has, whoever installed it, and writes it as the configuration of a stack. " +
      "Nothing in the cluster is changed; the issuer's key goes from its Secret into the configuration, encrypted.",
  )
  .requiredOption("--stack <stack>", "the stack, with its organization where it has one; it exists already")
  .option("--context <context>", "the cluster, by a context of your kubeconfig")
  .addOption(
    new Option(
      "--name <name>",
      "a sandbox and its stack, instead of a context and the Pulumi CLI's",
    ).conflicts(["context", "chartSource"]),
  )
  .option(
    "--chart-source <source>",
    "where the charts come from, which Helm does not record: repository, registry or directory. " +
      "Default: the stack's chartSource, else Linkerd's repository",
    source,
  )
  .option("--plan", "only say what would be written, or let go of", false)
  .option(
    "--release",
    "give back what the stack has taken over: the objects stay as they are, and the stack forgets them",
    false,
  )
  .addHelpText(
    "after",
    "\nExit codes: 0 written, or nothing to write; 1 the mesh cannot be adopted as it is, or cannot be read, and nothing was written. See docs/adopt.md.",
  )
  .showHelpAfterError()
  .action(async (options: Options) => {
    const { name, context } = options;
    if (name !== undefined) return forSandbox(options, name);
    if (context !== undefined) return forOwnStack(options);
    throw new UserError("neither --context nor --name says which cluster", "kubectl config get-contexts");
  });

runToEnd(program);
