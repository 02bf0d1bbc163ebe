import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { EngineEvent, Stack } from "@pulumi/pulumi/automation";

import { operate, OPERATION } from "../../shared/operation";
import { type PolicyOptions, policyPackOf } from "../../shared/policyPack";
import { UserError } from "../../shared/errors";
import { stateOf } from "../../shared/stack";
import { changesOf, type Graphs, unchangedOf } from "./changes";
import type { Report } from "./comment";
import { certificatesOf, restartsOf } from "./effects";
import type { Dependencies } from "./order";
import { readEvents } from "./steps";

/** Settings of a preview. */
export interface PreviewOptions extends PolicyOptions {
  /** Name of the stack, as the reader knows it. */
  readonly name: string;
  /** The commit that is previewed. */
  readonly commit?: string;
  /** Whether the cluster is asked first what it really has. */
  readonly refresh: boolean;
}

/** What a preview found, and why it failed if it did. */
export interface Previewed {
  readonly report: Report;
  readonly failure?: UserError;
}

/** What the engine says of the plan, which is gone after the preview. */
const ABOUT_PLAN = /^(Update plan written to|Run `pulumi up --plan).*\n/gm;

/** Previews a stack. A preview that fails is reported too, as far as it came. */
export async function previewStack(stack: Stack, options: PreviewOptions): Promise<Previewed> {
  const events: EngineEvent[] = [];
  const folder = await mkdtemp(join(tmpdir(), "linkerd-mtls-preview-"));
  const plan = join(folder, "plan.json");
  let failure: UserError | undefined;
  let next: Dependencies = new Map();
  try {
    const onEvent = (event: EngineEvent): number => events.push(event);
    const onError = (text: string): boolean => OPERATION.onError(text.replaceAll(ABOUT_PLAN, ""));
    await operate(
      stack.preview({
        ...OPERATION,
        ...policyPackOf(options),
        diff: true,
        refresh: options.refresh,
        plan,
        onEvent,
        onError,
      }),
    );
    next = await plannedDependencies(plan);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    failure = error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const report = reportOf(events, { now: await currentDependencies(stack), next }, options);
  if (failure === undefined) return { report };
  // The reason may be in the log only, as when the CLI cannot reach its backend.
  const errors = report.errors.length > 0 ? report.errors : ["The log of the preview has the reason."];
  return { report: { ...report, errors }, failure };
}

/** What a reviewer is told of what the engine told. */
export function reportOf(
  events: readonly EngineEvent[],
  graphs: Graphs,
  { name, commit }: Pick<PreviewOptions, "name" | "commit">,
): Report {
  const { steps, unchanged, ...told } = readEvents(events);
  return {
    stack: name,
    ...(commit !== undefined && { commit }),
    ...told,
    changes: changesOf(steps, graphs),
    unchanged: unchangedOf(steps, unchanged),
    restarts: restartsOf(steps),
    certificates: certificatesOf(steps),
  };
}

/** A resource in a plan or a state, as far as it matters here. */
interface Dependent {
  readonly dependencies?: readonly string[];
  readonly propertyDependencies?: Readonly<Record<string, readonly string[]>>;
}

/** The engine's events do not tell who depends on whom; the plan, which it writes for a later update, does. */
async function plannedDependencies(plan: string): Promise<Dependencies> {
  const { resourcePlans } = JSON.parse(await readFile(plan, "utf8")) as {
    readonly resourcePlans: Readonly<Record<string, { readonly goal?: Dependent }>>;
  };
  return new Map(Object.entries(resourcePlans).map(([urn, { goal }]) => [urn, dependenciesOf(goal)]));
}

async function currentDependencies(stack: Stack): Promise<Dependencies> {
  const { resources } = await stateOf<Dependent & { readonly urn: string }>(stack);
  return new Map(resources.map((resource) => [resource.urn, dependenciesOf(resource)]));
}

function dependenciesOf({ dependencies = [], propertyDependencies = {} }: Dependent = {}): string[] {
  return [...new Set([...dependencies, ...Object.values(propertyDependencies).flat()])];
}
