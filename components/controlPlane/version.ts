import { ChartReference, helmChart } from "../cluster/helmChart";
import { Rule } from "../validation/rule";

/** A Linkerd release, `edge-<year>.<month>.<number>`; the project has published no other kind since February 2024. */
export type LinkerdVersion = `edge-${string}`;

/** The release announced as Linkerd 2.20. */
export const DEFAULT_LINKERD_VERSION: LinkerdVersion = "edge-26.6.3";

/** Linkerd's repository of edge charts. */
export const DEFAULT_CHART_SOURCE = "https://helm.linkerd.io/edge";

const EDGE_VERSION = /^edge-(\d+\.\d+\.\d+)$/;

/** Rule of a {@link LinkerdVersion}. */
export const LINKERD_VERSION: Rule<LinkerdVersion> = {
  rule: "must be edge-<year>.<month>.<number>",
  example: DEFAULT_LINKERD_VERSION,
  allows: (value): value is LinkerdVersion => typeof value === "string" && EDGE_VERSION.test(value),
};

/** Whether one edge release is older than another; false where one is none, which nobody can tell. */
export function isOlder(release: string, other: string): boolean {
  const [one, two] = [numbers(release), numbers(other)];
  const index = one.findIndex((number, place) => number !== two[place]);
  return index >= 0 && (one[index] ?? 0) < (two[index] ?? 0);
}

function numbers(release: string): number[] {
  return EDGE_VERSION.exec(release)?.[1]?.split(".").map(Number) ?? [];
}

/** Version of a release's charts: edge-26.6.3 is 2026.6.3, the same for every chart. */
export function chartVersion(version: LinkerdVersion): string {
  return version.replace(EDGE_VERSION, "20$1");
}

/** Where the charts of one Linkerd release come from. */
export interface ChartSource {
  /**
   * A Helm repository (`https://...`), an OCI registry (`oci://...`), or a directory that holds a directory per chart.
   * Default {@link DEFAULT_CHART_SOURCE}.
   */
  readonly source?: string;
  /** The release; has no effect on a directory, which holds one. Default {@link DEFAULT_LINKERD_VERSION}. */
  readonly version?: LinkerdVersion;
}

/** Refers to one of Linkerd's charts. */
export function chartReference(charts: ChartSource, chart: string): ChartReference {
  const { source = DEFAULT_CHART_SOURCE, version = DEFAULT_LINKERD_VERSION } = charts;
  return helmChart(source, chart, chartVersion(version));
}
