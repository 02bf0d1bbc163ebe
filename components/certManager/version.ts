import { text } from "../validation/rule";

/** Release of cert-manager, and of its chart. */
export const DEFAULT_CERT_MANAGER_VERSION = "v1.20.2";

/** Release of trust-manager, and of its chart. */
export const DEFAULT_TRUST_MANAGER_VERSION = "v0.25.0";

/** Helm repository of both. */
export const DEFAULT_CERT_MANAGER_CHART_SOURCE = "https://charts.jetstack.io";

/** Rule of the name of a release. */
export const RELEASE = text(
  "must be v<major>.<minor>.<patch>",
  /^v\d+\.\d+\.\d+$/,
  DEFAULT_CERT_MANAGER_VERSION,
);

/** From this minor release of 1 on, the chart names its values otherwise and keeps the definitions of its kinds. */
const CRD_VALUES_SINCE = 15;

/** Whether a release's chart has the values `crds` and `podDisruptionBudget`. */
export function hasCrdValues(version: string): boolean {
  const [major = 0, minor = 0] = version.slice(1).split(".").map(Number);
  return major > 1 || minor >= CRD_VALUES_SINCE;
}
