import type { PolicyConfigJSONSchema } from "@pulumi/policy/schema";

import { isProperties, type Properties } from "./known";

/** A resource as the engine is about to create or update it, or as an exported state has it. */
export interface Resource {
  /** E.g. `kubernetes:core/v1:Namespace`. */
  readonly type: string;
  readonly urn: string;
  /** Its inputs; what is not known yet is `UNKNOWN`. */
  readonly props: Properties;
  /** Whether it must be unprotected before it can be deleted. */
  readonly isProtected: boolean;
}

/** What no resource of a stack may do. */
export interface Rule<Settings extends object = object> {
  /** Name in messages, and in a file of `--policy-pack-config`. */
  readonly name: string;
  readonly description: string;
  /** Whether a violation ends a preview or update. */
  readonly enforcementLevel: "mandatory" | "advisory";
  /** Its settings, each with its default. */
  readonly properties: Readonly<
    Record<keyof Settings, PolicyConfigJSONSchema & { readonly default: unknown }>
  >;
  /** What the resource violates: what was found, what is allowed, and how to fix it. */
  violations(resource: Resource, settings: Settings): readonly string[];
}

/** The settings of a rule where nobody has set any. */
export function defaults<Settings extends object>({ properties }: Rule<Settings>): Settings {
  const entries = Object.entries<{ readonly default: unknown }>(properties);
  return Object.fromEntries(entries.map(([key, { default: value }]) => [key, value])) as Settings;
}

/** Settings of a rule for some stacks only. */
export interface OfStacks {
  /** Names of the stacks that it is for. */
  readonly stacks: readonly string[];
}

/** Schema of {@link OfStacks}. */
export const STACKS = {
  type: "array",
  items: { type: "string" },
  description: "Names of the stacks that the rule is for.",
  default: ["prod"],
} as const satisfies PolicyConfigJSONSchema;

/** Whether the resource is of one of the stacks. */
export function isOf({ urn }: Resource, { stacks }: OfStacks): boolean {
  const [, , stack = ""] = (urn.split("::")[0] ?? "").split(":");
  return stacks.includes(stack);
}

/** A resource as a message names it: kind and name in the cluster, or the name in the program. */
export function nameOf({ type, urn, props }: Resource): string {
  const kind = type.split(":").at(-1) ?? type;
  const { metadata } = props;
  const { name, namespace } = isProperties(metadata) ? metadata : ({} as Properties);
  const path = [namespace, name].filter((part) => typeof part === "string");
  return `${kind} ${typeof name === "string" ? path.join("/") : (urn.split("::").at(-1) ?? urn)}`;
}
