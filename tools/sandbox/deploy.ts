import type { Stack } from "@pulumi/pulumi/automation";
import { rm } from "node:fs/promises";
import { parse } from "yaml";
import { reportMesh } from "./report";
import { UserError } from "../shared/errors";
import { cancellation, interruption, overhear } from "../shared/interruption";
import { ensureNodes } from "./nodes";
import { refuseSecondStack } from "./otherStacks";
import { lacksProvided } from "../shared/stackFile";
import type { Target } from "./target";
import { stateResources, type Use, withStack } from "./workspace";

/**
 * Resources that are created at the same time. Most of the time each of them waits for its pods, which the default, four
 * for each core, would make the next ones do too.
 */
const PARALLEL = 256;

/** Passed to every operation: Pulumi's own progress goes to the terminal as it comes, and it ends when it must. */
export const OPERATION = {
  onOutput: (text: string) => {
    overhear(text);
    process.stdout.write(text);
  },
  onError: (text: string) => process.stderr.write(text),
  color: process.stdout.isTTY ? "always" : "never",
  parallel: PARALLEL,
  signal: cancellation.signal,
} as const;

/** An operation of Pulumi that failed; the CLI has printed why. */
class FailedOperation extends UserError {}

const AGAIN = "run the same command again; what is done already is not done again";

/** Awaits one operation of Pulumi, which keeps its state when it fails or is interrupted. */
export async function operate<T>(operation: Promise<T>): Promise<T> {
  // Pulumi takes a stack trace for each promise and each resource, which costs a sixth of the time.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 1;
  process.setSourceMapsEnabled(false);
  try {
    return await operation;
  } catch (error) {
    // The CLI has printed what was wrong; its whole output again, as the Automation API throws it, would bury that.
    if (error instanceof UserError) throw error;
    throw interruption.signal.aborted
      ? new UserError("the operation was interrupted", AGAIN, { cause: error })
      : new FailedOperation("the operation failed; the reason is above", `mend it, then ${AGAIN}`, {
          cause: error,
        });
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    process.setSourceMapsEnabled(true);
  }
}

/**
 * Awaits what is done with the target's stack.
 *
 * @param config Configuration of this operation, each as KEY=VALUE with a YAML value.
 */
export function onStack<T>(
  { paths, pulumi, overrides, option }: Target,
  stack: string,
  config: readonly string[],
  use: Use<T>,
): Promise<T> {
  const given = config.map((entry): [string, unknown] => {
    const [key = "", ...value] = entry.split("=");
    return [key, parse(value.join("="))];
  });
  const args = { stack, paths, pulumi, overrides: { ...overrides, ...Object.fromEntries(given) } };
  return withStack(args, async (selected, configuration) => {
    try {
      return await use(selected, configuration);
    } catch (error) {
      if (!(error instanceof FailedOperation && lacksProvided(configuration))) throw error;
      const make = `npm run offline-ca -- --stack ${stack}${option}`;
      throw new UserError(error.message, `${make} makes and sets what is missing; then ${AGAIN}`, {
        cause: error,
      });
    }
  });
}

/** Whether replicas want a node each. The CLI turns flags into text when it writes a stack's file. */
function wantsNodes(configuration: Readonly<Record<string, unknown>>): boolean {
  const { highAvailability } = (configuration["linkerd-mtls:viz"] ?? {}) as { highAvailability?: unknown };
  return [configuration["linkerd-mtls:highAvailability"], highAvailability].some(
    (flag) => String(flag) === "true",
  );
}

/**
 * Brings the stack up and reports which pods are in the mesh.
 *
 * @throws UserError when another stack is deployed there, the operation fails, or a pod is outside the mesh.
 */
export async function up(target: Target, stackName: string, config: readonly string[]): Promise<void> {
  await refuseSecondStack(target, stackName);
  await onStack(target, stackName, config, async (stack, configuration) => {
    // Pulumi would start its CLI three times more, to read outputs and history that nobody here asks for.
    stack.outputs = () => Promise.resolve({});
    stack.info = () => Promise.resolve(undefined);
    if (target.cluster.kubeconfig !== undefined && wantsNodes(configuration)) {
      await ensureNodes(target);
    }
    await operate(stack.up(OPERATION));
  });
  await reportMesh(target);
}

/** Shows what an `up` would change. */
export async function preview(target: Target, stackName: string, config: readonly string[]): Promise<void> {
  await onStack(target, stackName, config, (stack) => operate(stack.preview({ ...OPERATION, diff: true })));
}

/**
 * Deletes everything that the stack made in the cluster, and the stack.
 *
 * @throws UserError before anything is deleted where something is protected: the engine would find out on its way.
 */
export async function destroy(target: Target, stackName: string, config: readonly string[]): Promise<void> {
  await onStack(target, stackName, config, async (stack) => {
    const kept = await protectedResources(stack);
    if (kept.length > 0) {
      const selection = `--stack ${stackName}${target.option}`;
      throw new UserError(
        `stack ${stackName} has protected resources (${kept.join(", ")}), so nothing was deleted`,
        `npm run up -- ${selection} -c linkerd-mtls:protect=false && npm run down -- ${selection}`,
      );
    }
    await operate(stack.destroy({ ...OPERATION, remove: true }));
  });
  console.log(`The stack ${stackName} is removed.`);
}

/** Names of the resources that must be unprotected before they can be deleted; components have nothing to delete. */
async function protectedResources(stack: Stack): Promise<string[]> {
  const resources = await stateResources<{
    readonly urn: string;
    readonly custom?: boolean;
    readonly protect?: boolean;
  }>(stack);
  return resources
    .filter(({ protect, custom }) => protect === true && custom === true)
    .map(({ urn }) => urn.split("::").at(-1) ?? urn);
}

/** Removes what the target left on this machine. */
export async function forget(target: Target): Promise<void> {
  await rm(target.paths.root, { recursive: true, force: true });
}
