import { GUARD_NAMES } from "../../components/injection/meshGuard";
import { check, type Group } from "./model";
import type { GuardState, Snapshot } from "./snapshot";

const [GUARD, WARNING, OTHERS] = GUARD_NAMES;

/** Whether the guard refuses pods without a proxy, in all namespaces. */
export function refuses({ policies, actions }: GuardState): boolean {
  return policies.includes(GUARD) && [GUARD, OTHERS].every((name) => actions[name]?.includes("Deny"));
}

/** Checks that the guard is whole and refuses; a mesh that never had one has its webhook's failure policy alone. */
export function checkGuard({ guard }: Snapshot): Group {
  const { policies, actions } = guard;
  const checks =
    policies.length === 0 && Object.keys(actions).length === 0
      ? [{ check: "the guard is there", result: "skipped" as const, note: "this mesh has none" }]
      : [
          check("the guard is there", missing(guard), "guard"),
          check("the bindings of the guard refuse, and do not only warn", lenient(guard), "guard", "warning"),
        ];
  return { group: "guard", checks };
}

/** The guard that refuses consists of two policies and three bindings, another one of one each. */
function missing({ policies, actions }: GuardState): string[] {
  const isDenying = policies.includes(WARNING) || WARNING in actions || OTHERS in actions;
  const wanted = (names: readonly string[], kind: string, has: (name: string) => boolean): string[] =>
    names.filter((name) => !has(name)).map((name) => `${kind} ${name} is not there`);
  return [
    ...wanted(isDenying ? [GUARD, WARNING] : [GUARD], "ValidatingAdmissionPolicy", (name) =>
      policies.includes(name),
    ),
    ...wanted(
      isDenying ? GUARD_NAMES : [GUARD],
      "ValidatingAdmissionPolicyBinding",
      (name) => name in actions,
    ),
  ];
}

/** Bindings that let through what they should refuse. */
function lenient({ actions }: GuardState): string[] {
  return [GUARD, OTHERS].flatMap((name) => {
    const does = actions[name];
    return does === undefined || does.includes("Deny")
      ? []
      : [`ValidatingAdmissionPolicyBinding ${name} has ${does.join(", ") || "no action"} instead of Deny`];
  });
}
