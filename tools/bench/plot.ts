import type { TopLevelSpec } from "vega-lite";
import { type Row, VARIANTS } from "./rows";

/** The wall times as a Vega-Lite chart: a bar for the median, a point for each run, a panel for each case. */
export function chart(rows: readonly Row[]): TopLevelSpec {
  const variant = { field: "variant", type: "nominal", title: null, axis: { labelLimit: 400 } } as const;
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    title: "Wall time until everything is meshed and ready, or the script is at its end",
    background: "white",
    data: {
      values: rows.map(({ variant, namespaces, readyDelaySeconds, wallSeconds, podsUnmeshedAtEnd }) => ({
        variant: `(${variant}) ${VARIANTS[variant]}`,
        namespaces,
        readyDelaySeconds,
        wallSeconds,
        end: podsUnmeshedAtEnd === 0 ? "all meshed" : "pods left outside the mesh",
      })),
    },
    facet: {
      row: {
        field: "readyDelaySeconds",
        title: null,
        header: {
          labelExpr: "datum.value == 0 ? 'pods ready at once' : 'pods ready after ' + datum.value + ' s'",
        },
      },
      column: {
        field: "namespaces",
        title: null,
        header: { labelExpr: "datum.value + (datum.value == 1 ? ' namespace' : ' namespaces')" },
      },
    },
    spec: {
      width: 220,
      height: { step: 22 },
      layer: [
        {
          mark: { type: "bar", height: 14 },
          encoding: {
            y: variant,
            x: { aggregate: "median", field: "wallSeconds", title: "seconds", stack: null },
            color: {
              field: "end",
              type: "nominal",
              title: "at the end",
              scale: {
                domain: ["all meshed", "pods left outside the mesh"],
                range: ["#4c78a8", "#e45756"],
              },
              legend: { orient: "bottom", labelLimit: 300 },
            },
          },
        },
        {
          mark: { type: "point", color: "black", size: 12, filled: true },
          encoding: { y: variant, x: { field: "wallSeconds", type: "quantitative" } },
        },
      ],
    },
    // One namespace takes seconds, a hundred take a minute.
    resolve: { scale: { x: "independent" } },
  };
}

/** Draws a chart as SVG. */
export async function draw(spec: TopLevelSpec): Promise<string> {
  // Loaded here, because only the documentation is drawn.
  const [vega, { compile }] = [await import("vega"), await import("vega-lite")];
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: "none" });
  return `${await view.toSVG()}\n`;
}
