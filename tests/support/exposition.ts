import type { Series } from "./promtool";

/** What a component exposes: the value of each series, by its name and labels. */
export type Exposition = ReadonlyMap<string, number>;

/** Reads Prometheus' text format; timestamps are left out. */
export function parseExposition(text: string): Exposition {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.flatMap((line) => {
      const [, series = "", value = ""] = /^(\w+(?:\{.*\})?) (\S+)/.exec(line) ?? [];
      return series === "" ? [] : [[series, Number(value)] as const];
    }),
  );
}

/** Names of the series. */
export function namesOf(exposition: Exposition): Set<string> {
  return new Set([...exposition.keys()].map(nameOf));
}

/** The name of a series. */
function nameOf(series: string): string {
  return series.replace(/\{.*/, "");
}

/** Series of these names, that have for some samples the values before, then those after; without `after` they stay. */
export function replay(
  names: ReadonlySet<string>,
  samples: number,
  before: Exposition,
  after: Exposition = before,
): Series[] {
  return [...after]
    .filter(([series]) => names.has(nameOf(series)))
    .map(([series, value]) => {
      const first = before.get(series);
      const start = first === undefined ? `_x${samples}` : `${first}+0x${samples - 1}`;
      return { series, values: `${start} ${value}+0x${samples - 1}` };
    });
}

/** Names of the metrics in PromQL, without the series that rules record. */
export function metricsIn(expressions: readonly string[]): Set<string> {
  const text = expressions.map((expr) => expr.replaceAll(/\{.*?\}/g, "")).join("\n");
  const names = text.matchAll(/\b(?:apiserver|certmanager|grpc|identity|issuer|tcp)_[a-z_]+/g);
  return new Set([...names].map(([name]) => name));
}
