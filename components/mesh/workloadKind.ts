import { invalid, Problem, unexpected } from "../validation/problem";
import { oneOf, Rule, text, wholeNumber } from "../validation/rule";

/** Kind of the object that creates a workload's pods. */
export type WorkloadKind = "Deployment" | "StatefulSet" | "DaemonSet" | "Job" | "CronJob";

/** Rule of a {@link WorkloadKind}. */
export const WORKLOAD_KIND = oneOf<WorkloadKind>([
  "Deployment",
  "StatefulSet",
  "DaemonSet",
  "Job",
  "CronJob",
]);

/** Rule of a workload's number of pods. */
export const REPLICAS = wholeNumber(0, "1");

/** Rule of a CronJob's schedule. */
export const SCHEDULE: Rule<string> = text(
  'must be a cron schedule such as "0 3 * * *"',
  /^(@[a-z]+|[^\s@]+( [^\s]+){4})$/,
  "'0 3 * * *'",
);

/** Arguments that only some kinds have. */
const KINDS_WITH = {
  replicas: ["Deployment", "StatefulSet"],
  ports: ["Deployment", "StatefulSet", "DaemonSet"],
  schedule: ["CronJob"],
  drainSeconds: ["Deployment", "StatefulSet", "DaemonSet"],
} as const satisfies Record<string, readonly WorkloadKind[]>;
type KindProperty = keyof typeof KINDS_WITH;

/** Whether a workload's pods serve until they are told to end. Jobs end by themselves. */
export function isServing(kind: WorkloadKind): boolean {
  const kinds: readonly WorkloadKind[] = KINDS_WITH.ports;
  return kinds.includes(kind);
}

/** Checks that a kind has what it needs, and nothing that belongs to another. */
export function kindProblems(
  kind: WorkloadKind,
  args: Readonly<Partial<Record<KindProperty, unknown>>>,
): Problem[] {
  const problems: Problem[] = [];
  for (const property of ["replicas", "ports", "schedule", "drainSeconds"] as const) {
    const kinds: readonly WorkloadKind[] = KINDS_WITH[property];
    if (args[property] !== undefined && !kinds.includes(kind)) {
      problems.push(unexpected(property, `must be set only for ${kinds.join(", ")}`, `kind is ${kind}`));
    }
  }
  if (kind === "CronJob" && args.schedule === undefined) {
    problems.push(invalid("schedule", { ...SCHEDULE, rule: "must be set for CronJob" }, undefined));
  }
  return problems;
}
