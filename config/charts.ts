import { existsSync } from "node:fs";
import { join } from "node:path";

import { isChartDirectory } from "../components/rules";
import { ConfigStack } from "./keys";

/** Reports each directory of charts that lacks one that will be installed. */
export function checkCharts(stack: ConfigStack): void {
  const { certificates, certManager, trustManager, viz } = stack.settings;
  const rotating = certificates === "cert-manager";
  checkDirectory(stack, "chartSource", [
    "linkerd-crds",
    "linkerd-control-plane",
    ...(viz.enabled === true ? ["linkerd-viz"] : []),
  ]);
  if (rotating && certManager.install) {
    checkDirectory(stack, "certManagerChartSource", ["cert-manager"]);
  }
  if (rotating && trustManager.enabled && trustManager.install) {
    checkDirectory(stack, "trustManagerChartSource", ["trust-manager"]);
  }
}

function checkDirectory(
  stack: ConfigStack,
  key: "chartSource" | "certManagerChartSource" | "trustManagerChartSource",
  charts: readonly string[],
): void {
  const source = stack.settings[key];
  for (const chart of isChartDirectory(source) ? charts : []) {
    const file = join(source, chart, "Chart.yaml");
    if (!existsSync(file)) {
      stack.at(key).report({
        path: "",
        rule: `must hold the chart ${chart} where it is a directory`,
        found: `${file} does not exist`,
        fixes: [{ set: "", to: String(stack.keys[key].fallback) }],
      });
    }
  }
}
