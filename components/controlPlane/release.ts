import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { parse } from "yaml";

import { isChartDirectory } from "../cluster/helmChart";
import { ChartSource, DEFAULT_CHART_SOURCE, DEFAULT_LINKERD_VERSION } from "./version";

/** The release of the charts, as Linkerd names it. */
export async function releaseOf({
  source = DEFAULT_CHART_SOURCE,
  version = DEFAULT_LINKERD_VERSION,
}: ChartSource): Promise<string> {
  if (!isChartDirectory(source)) {
    return version;
  }
  const chart = parse(await readFile(join(source, "linkerd-control-plane", "Chart.yaml"), "utf8")) as {
    appVersion?: string;
  };
  return chart.appVersion ?? version;
}
