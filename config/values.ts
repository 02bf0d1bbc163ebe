import { ChartName, ChartValues } from "../components";
import { CHART_RULES } from "../components/rules";
import { elsewhere, object, Place } from "./reading";

/** Names of the charts that take values; Object.keys forgets them. */
export const CHARTS = Object.keys(CHART_RULES) as ChartName[];
const readCharts = object(Object.fromEntries(CHARTS.map((chart) => [chart, elsewhere])));

/** Further values of each chart, to be checked by `checkValues`. */
export function readValues(place: Place): ChartValues | undefined {
  // The chart of each decides what is valid.
  return readCharts(place) && (place.value as ChartValues);
}
