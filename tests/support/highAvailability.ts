import assert from "node:assert/strict";

import { parse } from "yaml";

import { isObject } from "../../components/validation/problem";
import { settingsValues } from "../../components/controlPlane/settings";
import { vizValues } from "../../components/extensions/vizValues";

/** Values of a component without and with high availability. */
interface Comparison {
  readonly without: object;
  readonly with: object;
}

/** Of linkerd-control-plane. */
export const controlPlaneHa: Comparison = {
  without: settingsValues({}),
  with: settingsValues({ highAvailability: true }),
};

const VIZ_ARGS = {
  linkerdNamespace: "linkerd",
  trustDomain: "cluster.local",
  trustBundlePem: "bundle",
  webhookTrust: { tap: { caBundle: "tap" }, "tap-injector": { caBundle: "injector" } },
};

/** Of linkerd-viz. */
export const vizHa: Comparison = {
  without: vizValues(VIZ_ARGS),
  with: vizValues({ ...VIZ_ARGS, highAvailability: true }),
};

/** Why a value for high availability differs on purpose, by the value's path; `.*` is all beneath it. */
export type Exceptions = Readonly<Record<string, string>>;

/** Of linkerd-control-plane. */
export const CONTROL_PLANE_EXCEPTIONS: Exceptions = {
  webhookFailurePolicy: "a choice of its own, because Fail can keep a cluster from booting",
  "controllerResources.*": "a YAML anchor for the others, which no template uses",
  highAvailability: "edge-23.4.3 does not set it; later releases do, for `linkerd check`",
  "controller.podDisruptionBudget.maxUnavailable": "edge-23.4.3 has no such value; later releases do",
};

/** Of linkerd-viz. */
export const VIZ_EXCEPTIONS: Exceptions = {
  "resources.*": "a YAML anchor for the others, which no template uses",
  enablePodDisruptionBudget: "edge-23.4.3 has no such value; later releases do",
};

/**
 * Compares what high availability adds to a component's values with the chart's values-ha.yaml, in both directions.
 */
export function assertHighAvailability(valuesHa: string, values: Comparison, exceptions: Exceptions): void {
  const chart = withoutEmpty(leaves(parse(valuesHa)));
  const basis = leaves(values.without);
  const all = leaves(values.with);
  const added = new Map([...all].filter(([path, value]) => basis.get(path) !== value));
  const isException = (path: string): boolean =>
    Object.keys(exceptions).some((name) =>
      name.endsWith("*") ? path.startsWith(name.slice(0, -1)) : path === name,
    );

  const missing = [...chart].filter(([path, value]) => all.get(path) !== value && !isException(path));
  const more = [...added].filter(([path]) => !chart.has(path) && !isException(path));
  assert.deepEqual({ missing, more }, { missing: [], more: [] });
  // Or this would prove nothing.
  assert.ok(added.size > 5, `${added.size} values are added`);
}

/** An empty text is what the chart has without it: no limit. */
function withoutEmpty(values: ReadonlyMap<string, unknown>): ReadonlyMap<string, unknown> {
  return new Map([...values].filter(([, value]) => value !== ""));
}

function leaves(value: unknown, path: readonly string[] = []): Map<string, unknown> {
  return isObject(value)
    ? new Map(Object.entries(value).flatMap(([name, item]) => [...leaves(item, [...path, name])]))
    : new Map([[path.join("."), value]]);
}
