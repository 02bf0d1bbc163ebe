import { rm } from "node:fs/promises";
import { reportMesh } from "./report";
import { UserError } from "../shared/errors";
import { AGAIN, FailedOperation, operate, OPERATION } from "../shared/operation";
import { isObject } from "../../components/rules";
import { type PolicyOptions, policyPackOf } from "../shared/policyPack";
import { stateOf } from "../shared/stack";
import { type Dependent, formatPath, Timeline } from "./criticalPath";
import { wantsNodes } from "./needs";
import { ensureNodes } from "./nodes";
import { refuseSecondStack } from "./otherStacks";
import { givenValues, lacksProvided } from "../shared/stackFile";
import type { Target } from "./target";
import { type Use, withStack } from "./workspace";

/**
 * Awaits what is done with the target's stack.
 *
 * @param config Configuration of this operation, each as KEY=VALUE with a YAML value.
 */
export function onStack<T>(
  { paths, pulumi, overrides, option, backend }: Target,
  stack: string,
  config: readonly string[],
  use: Use<T>,
): Promise<T> {
  const args = { stack, paths, pulumi, backend, overrides: { ...overrides, ...givenValues(config) } };
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

/** Options of {@link up}. */
export interface UpOptions {
  /** Whether to print which resources the deployment waited for, and how long. Default false. */
  readonly criticalPath?: boolean;
}

/**
 * Brings the stack up and reports which pods are in the mesh.
 *
 * @throws UserError when another stack is deployed there, the operation fails, or a pod is outside the mesh.
 */
export async function up(
  target: Target,
  stackName: string,
  config: readonly string[],
  { criticalPath = false, ...policy }: UpOptions & PolicyOptions = {},
): Promise<void> {
  await refuseSecondStack(target, stackName);
  await onStack(target, stackName, config, async (stack, configuration) => {
    // The Automation API starts the CLI three times more, for outputs and history that nothing here reads: 1.1 s of the 6 s
    // of an update that changes nothing.
    stack.outputs = () => Promise.resolve({});
    stack.info = () => Promise.resolve(undefined);
    if (target.cluster.kubeconfig !== undefined && wantsNodes(configuration)) {
      await ensureNodes(target);
    }
    const operation = { ...OPERATION, ...policyPackOf(policy) };
    if (!criticalPath) {
      await operate(stack.up(operation));
      return;
    }
    const timeline = new Timeline();
    await operate(stack.up({ ...operation, onEvent: timeline.onEvent }));
    const { seconds } = timeline;
    const { resources } = await stateOf<Dependent>(stack);
    console.log(`\n${formatPath(timeline.criticalPath(resources), seconds)}`);
  });
  await reportMesh(target);
}

/** Shows what an `up` would change. */
export async function preview(
  target: Target,
  stackName: string,
  config: readonly string[],
  policy: PolicyOptions = {},
): Promise<void> {
  await onStack(target, stackName, config, (stack) =>
    operate(stack.preview({ ...OPERATION, ...policyPackOf(policy), diff: true })),
  );
}

/**
 * Deletes everything that the stack made in the cluster, and the stack.
 *
 * @throws UserError before anything is deleted where something is protected: the engine would find out on its way.
 */
export async function destroy(target: Target, stackName: string, config: readonly string[]): Promise<void> {
  await onStack(target, stackName, config, async (stack, configuration) => {
    const { resources, wasKilled } = await stateOf<StateResource>(stack);
    const kept = protectedResources(resources);
    if (kept.length > 0) {
      const selection = `--stack ${stackName}${target.option}`;
      const adopted = isObject(configuration[ADOPT]);
      throw new UserError(
        `stack ${stackName} has protected resources (${kept.join(", ")}), so nothing was deleted`,
        adopted
          ? "it has taken the mesh over from others. If it is to go all the same, set destroy: true in linkerd-mtls:adopt, then up and down"
          : `npm run up -- ${selection} -c linkerd-mtls:protect=false && npm run down -- ${selection}`,
      );
    }
    if (wasKilled) {
      // What it deleted last may be in the state still, and Helm cannot uninstall a release twice.
      console.log("An operation on this stack was killed, so the state is refreshed first.");
    }
    await operate(stack.destroy({ ...OPERATION, remove: true, refresh: wasKilled }));
  });
  console.log(`The stack ${stackName} is removed.`);
}

/** Key that says what a stack has taken over. */
const ADOPT = "linkerd-mtls:adopt";

/** As far as it matters here. */
interface StateResource {
  readonly urn: string;
  readonly custom?: boolean;
  readonly protect?: boolean;
}

/** Names of the resources that must be unprotected before they can be deleted; components have nothing to delete. */
function protectedResources(resources: readonly StateResource[]): string[] {
  return resources
    .filter(({ protect, custom }) => protect === true && custom === true)
    .map(({ urn }) => urn.split("::").at(-1) ?? urn);
}

/** Removes what the target left on this machine. */
export async function forget(target: Target): Promise<void> {
  await rm(target.paths.root, { recursive: true, force: true });
}
