import type { Graph } from "@viz-js/viz";
import type { TopLevelSpec } from "vega-lite";

import { draw } from "../bench/plot";
import type { CertificateRow } from "./certificates";
import type { Part } from "./deployment";
import type { PodCounts } from "./namespaces";

const HOUR_MS = 60 * 60 * 1000;
const DAY = 24;

/** Marks of the time line, in hours from now. */
const TICKS: readonly (readonly [hours: number, label: string])[] = [
  [DAY, "1 day"],
  [30 * DAY, "1 month"],
  [365 * DAY, "1 year"],
  [10 * 365 * DAY, "10 years"],
];

/** Colours and fonts come from the page's style sheet, which knows light and dark. */
const CONFIG = {
  background: "transparent",
  font: "inherit",
  aria: false,
  view: { stroke: null },
  axis: {
    labelColor: "var(--text)",
    labelFontSize: 13,
    titleColor: "var(--text)",
    titleFontSize: 13,
    titleFontWeight: "normal",
    domainColor: "var(--line)",
    gridColor: "var(--line)",
    tickColor: "var(--line)",
    labelLimit: 600,
  },
  legend: { labelColor: "var(--text)", labelFontSize: 13, titleColor: "var(--text)" },
  text: { fontSize: 13 },
} as const satisfies TopLevelSpec["config"] & object;

const RESULTS = { ok: "valid", warning: "‼ renew it", error: "× not valid now" } as const;

/** What stands before the name of a certificate, so that its colour is not needed. */
const SYMBOLS = { ok: "", warning: "‼ ", error: "× " } as const;

/** The time line: how long each certificate is valid, and when it is renewed. Both sides of now are logarithmic. */
export async function timeline(rows: readonly CertificateRow[], now: Date): Promise<string> {
  const hours = (time: Date): number => (time.getTime() - now.getTime()) / HOUR_MS;
  const values = rows.map(({ label, notBefore, notAfter, renewal, result }) => ({
    label: `${SYMBOLS[result]}${label}`,
    from: hours(notBefore),
    to: hours(notAfter),
    renewal: hours(renewal),
    result: RESULTS[result],
  }));
  const far = Math.max(DAY, ...values.flatMap(({ from, to }) => [Math.abs(from), Math.abs(to)]));
  const ticks = TICKS.filter(([tick]) => tick <= far * 1.2);
  const marks = [...ticks.map(([tick]) => -tick).reverse(), 0, ...ticks.map(([tick]) => tick)];
  const labels = Object.fromEntries([
    ...ticks.flatMap(([tick, label]) => [
      [-tick, `${label} ago`],
      [tick, `in ${label}`],
    ]),
    [0, "now"],
  ]) as Record<string, string>;
  const y = { field: "label", type: "nominal", sort: null, title: null } as const;
  const x = (field: string) =>
    ({
      field,
      type: "quantitative",
      title: null,
      scale: {
        type: "symlog",
        constant: 4,
        domain: [Math.min(...values.map(({ from }) => from), -DAY), far],
        nice: false,
      },
      axis: { values: marks, labelExpr: `(${JSON.stringify(labels)})[datum.value]`, labelOverlap: "greedy" },
    }) as const;
  return draw({
    width: 760,
    height: { step: 28 },
    config: CONFIG,
    data: { values },
    layer: [
      {
        mark: { type: "bar", height: 14, cornerRadius: 3 },
        encoding: {
          y,
          x: x("from"),
          x2: { field: "to" },
          color: {
            field: "result",
            type: "nominal",
            title: null,
            scale: { domain: Object.values(RESULTS), range: ["var(--ok)", "var(--warning)", "var(--error)"] },
            legend: { orient: "top", symbolType: "square", labelLimit: 300 },
          },
        },
      },
      {
        mark: {
          type: "point",
          shape: "diamond",
          filled: true,
          size: 90,
          opacity: 1,
          fill: "var(--page)",
          stroke: "var(--text)",
          strokeWidth: 1.5,
        },
        encoding: { y, x: x("renewal") },
      },
      {
        mark: { type: "rule", color: "var(--text)", strokeWidth: 2 },
        encoding: { x: { datum: 0, type: "quantitative" } },
      },
    ],
  } as TopLevelSpec);
}

/** Pods by their place, as one bar. */
export async function coverage({ meshed, outside, plain }: PodCounts): Promise<string> {
  const places = [
    `${meshed} in the mesh`,
    `${outside} outside, though they ask for a proxy`,
    `${plain} that ask for no proxy`,
  ];
  const values = [meshed, outside, plain].map((pods, index) => ({ place: places[index], pods, index }));
  return draw({
    width: 760,
    height: 26,
    config: CONFIG,
    data: { values },
    mark: { type: "bar", stroke: "var(--page)", strokeWidth: 2 },
    encoding: {
      x: { field: "pods", type: "quantitative", title: null, stack: "zero", axis: null },
      order: { field: "index" },
      color: {
        field: "place",
        type: "nominal",
        title: null,
        scale: { domain: places, range: ["var(--ok)", "var(--error)", "var(--quiet)"] },
        legend: { orient: "bottom", symbolType: "square", labelLimit: 600, direction: "horizontal" },
      },
    },
  });
}

/** The parts of a deployment; each edge goes from what is made first to what waits for it. */
export async function graph(parts: readonly Part[]): Promise<string> {
  // Loaded here, as Vega is: only where there is something to draw.
  const { instance } = await import("@viz-js/viz");
  const drawing: Graph = {
    graphAttributes: { rankdir: "TB", bgcolor: "transparent", nodesep: 0.25, ranksep: 0.45 },
    nodeAttributes: {
      shape: "box",
      style: "rounded,filled",
      fontname: "Helvetica",
      fontsize: 13,
      margin: "0.3,0.12",
    },
    edgeAttributes: { arrowsize: 0.7 },
    nodes: parts.map(({ name, components }) => ({
      name,
      attributes: { label: `${name.replace(" ", "\n")}${components > 1 ? ` × ${components}` : ""}` },
    })),
    edges: parts.flatMap(({ name, waitsFor }) => waitsFor.map((other) => ({ tail: other, head: name }))),
  };
  const svg = (await instance()).renderString(drawing, { format: "svg" });
  return svg.slice(svg.indexOf("<svg"));
}
