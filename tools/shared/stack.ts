import { LocalWorkspace, type PulumiFn, type Stack } from "@pulumi/pulumi/automation";
import type Program from "../../index";
import { messageOf, UserError } from "./errors";
import { PROJECT } from "./paths";
import { run } from "./run";

/** The name of the project, as in Pulumi.yaml. */
export const PROJECT_NAME = "linkerd-mtls";

/** The program itself: the function that `index.ts` exports to Pulumi. It takes seconds to load. */
export function loadProgram(): PulumiFn {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- Node's import() does not know TypeScript.
  const program = require("../../index") as typeof Program;
  return async () => ({ ...(await program()) });
}

/**
 * Selects a stack that exists already, with the Pulumi CLI on PATH, the backend that it is logged in to, and the
 * checkout's configuration.
 *
 * @param stack Its name, with its organization where it has one: `acme/prod`.
 * @throws UserError when the stack cannot be selected.
 */
export async function selectOwnStack(stack: string): Promise<Stack> {
  try {
    return await LocalWorkspace.selectStack(
      { stackName: stack, projectName: PROJECT_NAME, program: loadProgram() },
      { workDir: PROJECT },
    );
  } catch (error) {
    throw new UserError(
      `stack ${stack} cannot be selected: ${messageOf(error)}`,
      `pulumi stack select ${stack}`,
      { cause: error },
    );
  }
}

/** What a stack's state has. */
export interface State<T> {
  /** Of each resource. */
  readonly resources: readonly T[];
  /** Whether an operation on it was killed: it has operations that were begun and never ended. */
  readonly wasKilled: boolean;
}

/** The state of a stack. */
export async function stateOf<T>(stack: Stack): Promise<State<T>> {
  const { deployment } = await exportOf(stack);
  const { resources = [], pending_operations: pending = [] } = deployment;
  return { resources: resources as readonly T[], wasKilled: pending.length > 0 };
}

/** Empties the state of a stack: nothing is deleted. What was in it stays in the history of the backend. */
export async function emptyState(stack: Stack): Promise<void> {
  const state = await exportOf(stack);
  await stack.importStack({ ...state, deployment: { ...state.deployment, resources: [] } });
}

/** A state as the CLI writes it. */
interface Exported {
  readonly version: number;
  readonly deployment: {
    readonly resources?: readonly unknown[];
    readonly pending_operations?: readonly unknown[];
  };
}

/** Secrets stay encrypted, which the Automation API's own export would have decrypted. */
async function exportOf({ name, workspace }: Stack): Promise<Exported> {
  const { pulumiCommand, workDir, envVars } = workspace;
  const exported = await run(pulumiCommand.command, ["stack", "export", "--stack", name], {
    cwd: workDir,
    env: envVars,
  });
  return JSON.parse(exported) as Exported;
}
