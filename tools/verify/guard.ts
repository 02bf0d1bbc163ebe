import { isDeepStrictEqual } from "node:util";

import { GUARD_NAMES, guarded, policySpec } from "../../components/injection/meshGuard";
import { isObject } from "../../components/validation/problem";
import { check, type Group } from "./model";
import type { GuardState, Snapshot } from "./snapshot";

const [GUARD, WARNING, OTHERS] = GUARD_NAMES;

const POLICY = "ValidatingAdmissionPolicy";
const BINDING = "ValidatingAdmissionPolicyBinding";

/** Whether the guard refuses pods without a proxy, in all namespaces. */
export function refuses({ policies, bindings }: GuardState): boolean {
  return (
    GUARD in policies &&
    [GUARD, OTHERS].every((name) => bindings[name]?.validationActions?.includes("Deny") === true)
  );
}

/** Checks that the guard is whole and refuses; a mesh that never had one has its webhook's failure policy alone. */
export function checkGuard({ guard }: Snapshot): Group {
  const { policies, bindings } = guard;
  const isAbsent = Object.keys({ ...policies, ...bindings }).length === 0;
  return {
    group: "guard",
    checks: isAbsent
      ? [{ check: "the guard is there", result: "skipped" as const, note: "this mesh has none" }]
      : [
          check("the guard is there", missing(guard), "guard"),
          check("the bindings of the guard refuse, and do not only warn", lenient(guard), "guard", "warning"),
          check("the guard is as this program makes it", changed(guard), "guard", "warning"),
        ],
  };
}

/** The guard that refuses consists of two policies and three bindings, another one of one each. */
function isDenying({ policies, bindings }: GuardState): boolean {
  return WARNING in policies || WARNING in bindings || OTHERS in bindings;
}

function missing(guard: GuardState): string[] {
  const absent = (kind: string, names: readonly string[], objects: object): string[] =>
    names.filter((name) => !(name in objects)).map((name) => `${kind} ${name} is not there`);
  return [
    ...absent(POLICY, isDenying(guard) ? [GUARD, WARNING] : [GUARD], guard.policies),
    ...absent(BINDING, isDenying(guard) ? GUARD_NAMES : [GUARD], guard.bindings),
  ];
}

/** Bindings that let through what they should refuse. */
function lenient({ bindings }: GuardState): string[] {
  return [GUARD, OTHERS].flatMap((name) => {
    const binding = bindings[name];
    const { validationActions: does = [] } = binding ?? {};
    return binding === undefined || does.includes("Deny")
      ? []
      : [`${BINDING} ${name} has ${does.join(", ") || "no action"} instead of Deny`];
  });
}

/** Objects that somebody has edited, or another release of this program has made. */
function changed(guard: GuardState): string[] {
  const denies = isDenying(guard);
  const differing = (
    kind: string,
    expected: Readonly<Record<string, object>>,
    live: Readonly<Record<string, object>>,
  ) =>
    Object.entries(expected)
      .filter(
        ([name, spec]) => live[name] !== undefined && !isDeepStrictEqual(plain(live[name]), plain(spec)),
      )
      .map(([name]) => `${kind} ${name} differs`);
  const bindings = {
    [GUARD]: { policyName: GUARD, ...(denies && guarded("Exists")) },
    [OTHERS]: { policyName: GUARD, ...guarded("DoesNotExist") },
    [WARNING]: { policyName: WARNING },
  };
  // What they do, the check before this one says.
  const live = Object.entries(guard.bindings).map(([name, { policyName, matchResources, paramRef }]) => [
    name,
    { policyName, matchResources, paramRef },
  ]);
  return [
    ...differing(
      POLICY,
      { [GUARD]: policySpec(denies ? "deny" : "warn"), [WARNING]: policySpec("warn") },
      guard.policies,
    ),
    ...differing(BINDING, bindings, Object.fromEntries(live) as Record<string, object>),
  ];
}

/** Values that the API server adds. */
const DEFAULTS: Readonly<Record<string, unknown>> = { matchPolicy: "Equivalent", scope: "*" };

/** A specification without what the API server adds, and without what is empty. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(plain);
  }
  if (!isObject(value)) {
    return value;
  }
  const entries = Object.entries(value)
    .filter(([key, each]) => each !== undefined && DEFAULTS[key] !== each)
    .map(([key, each]) => [key, plain(each)] as const)
    .filter(([, each]) => !isObject(each) || Object.keys(each).length > 0);
  return Object.fromEntries(entries);
}
