import type { EngineEvent } from "@pulumi/pulumi/automation";

import { type Difference, differences } from "./differences";
import { UNKNOWN } from "./values";

/** What the engine would do to one resource. */
export interface Step {
  readonly operation: string;
  readonly urn: string;
  /** E.g. `kubernetes:core/v1:Namespace`. */
  readonly type: string;
  readonly name: string;
  /** Type and name of the component that it belongs to; of the stack, where it belongs to none. */
  readonly component: { readonly type: string; readonly name: string };
  /** As they will be; as they were, where it is deleted. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Only of what is updated or replaced. */
  readonly differences: readonly Difference[];
}

/** What a preview found. */
export interface Preview {
  readonly steps: readonly Step[];
  readonly unchanged: readonly Step[];
  /** Outputs of the stack that change to a value that is known already. */
  readonly outputs: readonly Difference[];
  /** Messages of errors and warnings. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

/** The engine's own work on the way to a change; a replacement is announced a second time, as a whole. */
const PARTS = [
  "read",
  "refresh",
  "create-replacement",
  "delete-replaced",
  "read-replacement",
  "discard-replaced",
  "remove-pending-replace",
];

const STACK = "pulumi:pulumi:Stack";

/** Reads what the engine told while it previewed. Components, which only group, and providers are left out. */
export function readEvents(events: readonly EngineEvent[]): Preview {
  const told = events.flatMap(({ resourcePreEvent }) => resourcePreEvent?.metadata ?? []);
  const resources = told.filter(
    ({ type, old, new: next }) => !type.startsWith("pulumi:") && (next ?? old)?.custom === true,
  );
  const steps = resources
    .filter(({ op }) => !PARTS.includes(op))
    .map(({ op, urn, type, old, new: next, detailedDiff, diffs }): Step => {
      const detailed = Object.keys(detailedDiff ?? {});
      const paths = detailed.length > 0 ? detailed : (diffs ?? []);
      const state = next ?? old;
      return {
        operation: op,
        urn,
        type,
        name: nameOf(urn),
        component: { type: typeOf(state?.parent ?? ""), name: nameOf(state?.parent ?? "") },
        inputs: state?.inputs ?? {},
        differences: old && next ? differences(paths, old.inputs, next.inputs) : [],
      };
    });
  const stack = events
    .flatMap(({ resOutputsEvent }) => resOutputsEvent?.metadata ?? [])
    .filter(({ type }) => type === STACK)
    .at(-1);
  const messages = (severity: "error" | "warning"): string[] => [
    ...new Set(
      events
        .flatMap(({ diagnosticEvent }) => diagnosticEvent ?? [])
        .filter((diagnostic) => diagnostic.severity === severity)
        // Marks of colour.
        .map(({ message }) => message.replaceAll(/<\{%.*?%\}>/g, "").trim()),
    ),
  ];
  const errors = messages("error");
  return {
    steps: steps.filter(({ operation }) => operation !== "same"),
    unchanged: steps.filter(({ operation }) => operation === "same"),
    outputs: outputDifferences(stack?.old?.outputs ?? {}, stack?.new?.outputs ?? {}),
    // The stack's own adds nothing to those of its resources.
    errors: errors.length > 1 ? errors.filter((message) => message !== "preview failed") : errors,
    warnings: messages("warning"),
  };
}

function outputDifferences(from: object, to: object): Difference[] {
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort();
  const paths = names.map((name) => `["${name.replaceAll(/["\\]/g, "\\$&")}"]`);
  return differences(paths, from, to).filter(({ to: next }) => next !== UNKNOWN);
}

function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

function typeOf(urn: string): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}
