import { checkList, isObject, Problem } from "../validation/problem";
import { Rule, text } from "../validation/rule";

/** Which workloads of others are rolled when they lack the trust bundle, and how. */
export interface RollSettings {
  /** All that have meshed pods; or these, as messages name them, e.g. `StatefulSet shop/db`. */
  readonly workloads: "all" | readonly string[];
  /** Share of them that is rolled at once, in percent; one is in any case. Default 25. */
  readonly percent?: number;
  /** How long to wait for each of them, in seconds. Default 600. */
  readonly deadlineSeconds?: number;
}

/** Default of {@link RollSettings.percent}. */
export const DEFAULT_ROLL_PERCENT = 25;

/** Default of {@link RollSettings.deadlineSeconds}. */
export const DEFAULT_ROLL_DEADLINE_SECONDS = 600;

/** Rule of an item of {@link RollSettings.workloads}. */
export const ROLLED_WORKLOAD = text(
  "must be a kind, a namespace and a name, as messages name a workload",
  /^[A-Z]\w* [a-z0-9][-a-z0-9]*\/\S+$/,
  "'Deployment <namespace>/<name>'",
);

/** Rule of {@link RollSettings.percent}. */
export const ROLL_PERCENT: Rule<number> = {
  rule: "must be a whole number, 1 to 100",
  example: String(DEFAULT_ROLL_PERCENT),
  allows: (value): value is number =>
    typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 100,
};

/** Problems of {@link RollSettings.workloads}. */
export function rolledWorkloadProblems(workloads: unknown): Problem[] {
  if (workloads === "all" || workloads === undefined) {
    return [];
  }
  const rule = "must be all, or a list of workloads";
  return isObject(workloads) || !Array.isArray(workloads)
    ? [{ path: "", rule, found: { value: workloads }, fixes: [{ set: "", to: "all" }] }]
    : checkList("", workloads, rule, ROLLED_WORKLOAD);
}
