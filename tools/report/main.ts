import { Command } from "commander";

import { runToEnd } from "../shared/runToEnd";
import { withClusterOptions } from "../verify/clusterOptions";
import type { ReportOptions } from "./write";

/** Loaded once the arguments are known to be right: Pulumi's SDK and the Kubernetes client take seconds. */
// eslint-disable-next-line @typescript-eslint/no-require-imports -- tsx compiles what is required, not what import() loads
const write = () => require("./write") as typeof import("./write");

runToEnd(
  withClusterOptions(new Command("linkerd-mtls-report"))
    .description(
      "Writes what there is to know about a mesh as one HTML page, and changes nothing. See docs/report.md.",
    )
    .option("--state <file>", "of `pulumi stack export`. Default: what npm run up has left for the cluster")
    .option("--output <file>", "the page", "mesh-report.html")
    .showHelpAfterError()
    .action((options: ReportOptions) => write().writeReport(options)),
);
