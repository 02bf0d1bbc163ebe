import { helm } from "@pulumi/kubernetes";

import { Rule } from "../validation/rule";

/** The part of a Helm release's arguments that says which chart it is. */
export type ChartReference = Pick<helm.v3.ReleaseArgs, "chart" | "version" | "repositoryOpts">;

/** Rule of where charts come from. */
export const CHART_SOURCE: Rule<string> = {
  rule: "must be an https:// repository, an oci:// registry or a directory",
  example: "https://charts.example.org",
  allows: (value): value is string =>
    typeof value === "string" && (isChartDirectory(value) || /^(https|oci):\/\/[^/]/.test(value)),
};

/** Whether charts come from a directory on this machine. */
export function isChartDirectory(source: string): boolean {
  return !/^[a-z][a-z0-9+.-]*:\/\//i.test(source);
}

/**
 * Refers to a chart of a Helm repository (`https://...`), of an OCI registry (`oci://...`), or of a directory that holds
 * a directory per chart; the last has the version that it has.
 */
export function helmChart(source: string, chart: string, version: string): ChartReference {
  const path = `${source.replace(/\/+$/, "")}/${chart}`;
  if (isChartDirectory(source)) {
    return { chart: path };
  }
  return source.startsWith("oci://")
    ? { chart: path, version }
    : { chart, version, repositoryOpts: { repo: source } };
}
