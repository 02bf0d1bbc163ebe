import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";

import { accessOf, readCluster } from "../verify/access";
import type { ClusterOptions } from "../verify/clusterOptions";
import { page } from "./page";
import { reportOf } from "./report";
import { readState } from "./state";

export interface ReportOptions extends ClusterOptions {
  readonly output: string;
  readonly state?: string;
}

function nameOf({ kubeconfig, context, name }: ClusterOptions): string {
  if (context !== undefined) return context;
  return kubeconfig === undefined ? `sandbox ${name}` : "the kubeconfig's current context";
}

/** Asks the cluster and writes the page. */
export async function writeReport(options: ReportOptions): Promise<void> {
  const access = accessOf(options);
  const state = await readState(options, options.state);
  const snapshot = await readCluster(access, { withSecrets: options.secrets });
  const html = await page(reportOf({ cluster: nameOf(options), snapshot, state }));
  const file = resolve(options.output);
  await writeFile(file, html);
  console.log(`${file}: ${Math.ceil(Buffer.byteLength(html) / 1024)} KiB`);
}
