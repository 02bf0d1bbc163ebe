/** Kind of the object that creates a workload's pods. */
export type WorkloadKind = "Deployment" | "StatefulSet" | "DaemonSet" | "Job" | "CronJob";

/** Every kind. */
export const WORKLOAD_KINDS: readonly WorkloadKind[] = [
  "Deployment",
  "StatefulSet",
  "DaemonSet",
  "Job",
  "CronJob",
];

/** Arguments that only some kinds have. */
const KINDS_WITH = {
  replicas: ["Deployment", "StatefulSet"],
  ports: ["Deployment", "StatefulSet", "DaemonSet"],
  schedule: ["CronJob"],
} as const satisfies Record<string, readonly WorkloadKind[]>;
type KindProperty = keyof typeof KINDS_WITH;

/** What is wrong with an argument for a kind. */
export interface KindProblem {
  readonly property: KindProperty;
  /** What it must be. */
  readonly rule: string;
}

/** Checks that a kind has what it needs, and nothing that belongs to another. */
export function kindProblems(
  kind: WorkloadKind,
  args: Readonly<Partial<Record<KindProperty, unknown>>>,
): KindProblem[] {
  const problems: KindProblem[] = [];
  for (const property of ["replicas", "ports", "schedule"] as const) {
    const kinds: readonly WorkloadKind[] = KINDS_WITH[property];
    if (args[property] !== undefined && !kinds.includes(kind)) {
      problems.push({ property, rule: `must be set only for ${kinds.join(", ")}` });
    }
  }
  if (kind === "CronJob" && args.schedule === undefined) {
    problems.push({ property: "schedule", rule: "must be set for CronJob" });
  }
  return problems;
}
