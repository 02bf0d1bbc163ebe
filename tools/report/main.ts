import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";

import { Command } from "commander";

import { runToEnd } from "../shared/runToEnd";
import { accessOf, type ClusterOptions, readCluster, withClusterOptions } from "../verify/access";
import { page } from "./page";
import { reportOf } from "./report";
import { readState } from "./state";

interface Options extends ClusterOptions {
  readonly output: string;
  readonly state?: string;
}

function nameOf({ kubeconfig, context, name }: ClusterOptions): string {
  if (context !== undefined) return context;
  return kubeconfig === undefined ? `sandbox ${name}` : "the kubeconfig's current context";
}

async function write(options: Options): Promise<void> {
  const access = accessOf(options);
  const state = await readState(options, options.state);
  const snapshot = await readCluster(access, { withSecrets: options.secrets });
  const html = await page(reportOf({ cluster: nameOf(options), snapshot, state }));
  const file = resolve(options.output);
  await writeFile(file, html);
  console.log(`${file}: ${Math.ceil(Buffer.byteLength(html) / 1024)} KiB`);
}

runToEnd(
  withClusterOptions(new Command("linkerd-mtls-report"))
    .description(
      "Writes what there is to know about a mesh as one HTML page, and changes nothing. See docs/report.md.",
    )
    .option("--state <file>", "of `pulumi stack export`. Default: what npm run up has left for the cluster")
    .option("--output <file>", "the page", "mesh-report.html")
    .showHelpAfterError()
    .action(write),
);
