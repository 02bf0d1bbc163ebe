import { existsSync } from "node:fs";
import { join } from "node:path";

import { ChartName } from "../components";
import {
  CHART_RULES,
  helmValueProblems,
  isChartDirectory,
  isObject,
  Properties,
  unexpected,
} from "../components/rules";
import { ConfigStack } from "./keys";
import { CHARTS } from "./values";

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

/** Reports values that a chart does not have, that another key sets, and secrets. */
export function checkValues(stack: ConfigStack): void {
  const place = stack.at("values");
  if (stack.isSecret("values")) {
    const rule = "must not hold a secret, because Helm and Pulumi keep values in plaintext";
    place.report(unexpected("", rule, "is set with --secret"));
    return;
  }
  const { chartSource, certManagerChartSource, trustManagerChartSource } = stack.settings;
  const sources: Readonly<Record<ChartName, string>> = {
    "linkerd-crds": chartSource,
    "linkerd-control-plane": chartSource,
    "linkerd-viz": chartSource,
    "cert-manager": certManagerChartSource,
    "trust-manager": trustManagerChartSource,
  };
  for (const chart of CHARTS) {
    const given: Properties = stack.settings.values;
    const { [chart]: values = {} } = given;
    const problems = isObject(values)
      ? helmValueProblems(CHART_RULES[chart], sources[chart], values)
      : [unexpected("", "must be an object, as the chart's values.yaml is", { value: values })];
    place.at(chart).report(...problems);
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
