import { CERT_MANAGER_RULES } from "./certManager/chartRules";
import { ChartRules, HelmValues } from "./cluster/helmValues";
import { CONTROL_PLANE_RULES, CRDS_RULES } from "./controlPlane/chartRules";
import { VIZ_RULES } from "./extensions/vizChartRules";
import { TRUST_MANAGER_RULES } from "./trustManager/chartRules";

/** The charts that a mesh installs. */
export const CHART_RULES = {
  "linkerd-crds": CRDS_RULES,
  "linkerd-control-plane": CONTROL_PLANE_RULES,
  "linkerd-viz": VIZ_RULES,
  "cert-manager": CERT_MANAGER_RULES,
  "trust-manager": TRUST_MANAGER_RULES,
} as const satisfies Readonly<Record<string, ChartRules>>;

/** Name of a chart that a mesh installs. */
export type ChartName = keyof typeof CHART_RULES;

/** Further values of charts. Those of a chart that is not installed have no effect. */
export type ChartValues = Readonly<Partial<Record<ChartName, HelmValues>>>;
