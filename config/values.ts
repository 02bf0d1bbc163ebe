import { ChartName, ChartValues } from "../components";
import { CHART_RULES, helmValueProblems, isObject, Properties, unexpected } from "../components/rules";
import { ConfigStack } from "./keys";
import { elsewhere, object, Place } from "./reading";

// Object.keys forgets the names.
const CHARTS = Object.keys(CHART_RULES) as ChartName[];
const readCharts = object(Object.fromEntries(CHARTS.map((chart) => [chart, elsewhere])));

/** Further values of each chart, to be checked by {@link checkValues}. */
export function readValues(place: Place): ChartValues | undefined {
  // The chart of each decides what is valid.
  return readCharts(place) && (place.value as ChartValues);
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
