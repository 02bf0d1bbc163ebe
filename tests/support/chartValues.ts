import { readFileSync } from "node:fs";
import { join } from "node:path";

import { type ChartRules, type HelmValues, helmValueProblems } from "../../components/cluster/helmValues";

/** A file of a Linkerd chart of edge-26.8.3. */
export function chartFile(chart: string, file: string): string {
  return readFileSync(join(__dirname, "..", "program", "chartValues", "edge-26.8.3", chart, file), "utf8");
}

/** The paths of values that the chart does not know. */
export function unknownValues(values: unknown, rules: ChartRules): string[] {
  const problems = helmValueProblems(
    { ...rules, owned: {} },
    "https://charts.example.org",
    values as HelmValues,
  );
  return problems.map(({ path }) => path);
}
