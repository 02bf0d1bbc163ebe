import type { Stack } from "@pulumi/pulumi/automation";
import { rm } from "node:fs/promises";
import { parse } from "yaml";
import { reportMesh } from "./report";
import { messageOf, UserError } from "./errors";
import { cancellation, interruption, overhear } from "./interruption";
import { ensureNodes } from "./nodes";
import type { Target } from "./target";
import { stackConfiguration, withStack } from "./workspace";

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

/** Awaits one operation of Pulumi, which keeps its state when it fails or is interrupted. */
export async function operate<T>(operation: Promise<T>): Promise<T> {
  // Pulumi takes a stack trace for each resource; to map each of them to its source costs a tenth of the time.
  process.setSourceMapsEnabled(false);
  try {
    return await operation;
  } catch (error) {
    // The CLI has printed what was wrong; its whole output again, as the Automation API throws it, would bury that.
    if (error instanceof UserError) throw error;
    const again = "run the same command again: it continues from where this one ended";
    throw interruption.signal.aborted
      ? new UserError("the operation was interrupted", again, { cause: error })
      : new UserError("the operation failed; the reason is above", `mend it, then ${again}`, {
          cause: error,
        });
  } finally {
    process.setSourceMapsEnabled(true);
  }
}

/**
 * Awaits what is done with the target's stack.
 *
 * @param config Configuration of this operation, each as KEY=VALUE with a YAML value.
 */
export function onStack<T>(
  { paths, pulumi, overrides }: Target,
  stack: string,
  config: readonly string[],
  use: (stack: Stack) => Promise<T>,
): Promise<T> {
  const given = config.map((entry): [string, unknown] => {
    const [key = "", ...value] = entry.split("=");
    return [key, parse(value.join("="))];
  });
  return withStack({ stack, paths, pulumi, overrides: { ...overrides, ...Object.fromEntries(given) } }, use);
}

/** Brings the stack up and reports which pods are in the mesh. */
export async function up(target: Target, stackName: string, config: readonly string[]): Promise<void> {
  await onStack(target, stackName, config, async (stack) => {
    // Pulumi would start its CLI three times more, to read outputs and history that nobody here asks for.
    stack.outputs = () => Promise.resolve({});
    stack.info = () => Promise.resolve(undefined);
    const configuration = await stackConfiguration(target.paths, stackName);
    if (target.cluster.kubeconfig !== undefined && configuration["linkerd-mtls:highAvailability"] === true) {
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

/** What the engine says of a resource that must be unprotected first. */
const PROTECTED = "cannot be deleted\nbecause it is protected";

/** Deletes everything that the stack made in the cluster, and the stack. */
export async function destroy(target: Target, stackName: string, config: readonly string[]): Promise<void> {
  await onStack(target, stackName, config, (stack) =>
    operate(
      stack.destroy({ ...OPERATION, remove: true }).catch((error: unknown) => {
        if (!messageOf(error).includes(PROTECTED)) throw error;
        throw new UserError(
          `the stack ${stackName} has protected resources, so nothing was deleted`,
          `npm run up -- --stack ${stackName} -c linkerd-mtls:protect=false (with the same --name or --context), then down`,
          { cause: error },
        );
      }),
    ),
  );
  console.log(`The stack ${stackName} is removed.`);
}

/** Removes what the target left on this machine. */
export async function forget(target: Target): Promise<void> {
  await rm(target.paths.root, { recursive: true, force: true });
}
