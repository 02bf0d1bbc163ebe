import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { stringify } from "yaml";

import type { RuleGroup } from "../../components/monitoring/rule";
import { sandboxTools } from "../../tools/sandbox/build/tools";
import { run } from "../../tools/shared/run";

/** A series as promtool writes it: its samples are one interval apart. */
export interface Series {
  readonly series: string;
  readonly values: string;
}

/** What rules are given, and which alerts fire at a time: `<alert> <severity>`, with how many. */
export interface Scenario {
  readonly title: string;
  /** When it begins, in seconds since 1970. */
  readonly start: number;
  /** Between two samples of a series, e.g. `1m`. */
  readonly interval: string;
  readonly series: readonly Series[];
  /** How long after its start the alerts are looked at. */
  readonly at: string;
  /** Alerts that fire then, and no others; `ever`: at any time until then. */
  readonly firing: Readonly<Record<string, number>>;
  readonly ever?: true;
}

/** The query whose result is compared: alerts by name and severity. */
function query({ ever, at }: Scenario): string {
  const alerts = 'ALERTS{alertstate="firing"}';
  return `count by (alertname, severity) (${ever === true ? `count_over_time(${alerts}[${at}])` : alerts})`;
}

function testGroup(scenario: Scenario): object {
  const { title, start, interval, series, at, firing } = scenario;
  const samples = Object.entries(firing).map(([alert, value]) => {
    const [alertname = "", severity = ""] = alert.split(" ");
    return { labels: `{alertname="${alertname}",severity="${severity}"}`, value };
  });
  return {
    name: title,
    start_timestamp: start,
    interval,
    input_series: series,
    promql_expr_test: [{ expr: query(scenario), eval_time: at, exp_samples: samples }],
  };
}

/** Checks rules as `promtool check rules` does, with every lint, and tests them as `promtool test rules` does. */
export async function promtool(
  groups: readonly RuleGroup[],
  scenarios: readonly Scenario[],
  evaluation = "1m",
): Promise<void> {
  const { tools } = await sandboxTools();
  const folder = await mkdtemp(join(tmpdir(), "promtool-"));
  try {
    const [rules, tests] = ["rules.yaml", "tests.yaml"].map((name) => join(folder, name));
    await writeFile(rules ?? "", stringify({ groups }));
    await run(tools.promtool, ["check", "rules", "--lint=all", "--lint-fatal", rules ?? ""]);
    const file = {
      rule_files: [rules],
      evaluation_interval: evaluation,
      tests: scenarios.map(testGroup),
    };
    await writeFile(tests ?? "", stringify(file));
    await run(tools.promtool, ["test", "rules", tests ?? ""]);
  } finally {
    await rm(folder, { recursive: true });
  }
}
