import { isObject, type Properties } from "../../components/rules";
import type { Left, Present, StackNow } from "./present";
import { type Carried, carry } from "./values";

/** What a mesh has where nobody chose anything, for the keys whose defaults another stack may have changed. */
const UNCHANGED = {
  issuanceLifetime: "24h",
  highAvailability: false,
  webhookFailurePolicy: "Ignore",
  cniEnabled: false,
  opaquePorts: [],
  proxyInit: {},
  imagePullSecrets: [],
};

/** The keys of the configuration that come from the charts' values. */
export function carried(
  { charts, effective }: Present,
  { config, chartSource }: StackNow,
): { readonly keys: Readonly<Record<string, unknown>>; readonly left: readonly Left[] } {
  const parts = charts.map(
    (installed) => [installed.chart, carry(installed, chartSource, effective)] as const,
  );
  const viz = charts.some(({ chart }) => chart === "linkerd-viz");
  const values = Object.fromEntries(
    parts
      .filter(([, part]) => Object.keys(part.values).length > 0)
      .map(([chart, part]) => [chart, part.values]),
  );
  // Of charts that are not Linkerd's.
  const { "cert-manager": certManager, "trust-manager": trustManager }: Properties = isObject(config.values)
    ? config.values
    : {};
  return {
    keys: {
      ...UNCHANGED,
      viz: {},
      ...Object.fromEntries(parts.flatMap(([, part]) => Object.entries(part.keys))),
      ...(viz && { viz: { enabled: true, ...vizKeys(parts) } }),
      values: {
        ...values,
        ...(certManager !== undefined && { "cert-manager": certManager }),
        ...(trustManager !== undefined && { "trust-manager": trustManager }),
      },
    },
    left: parts.flatMap(([, part]) => part.left),
  };
}

function vizKeys(parts: readonly (readonly [string, Carried])[]): Properties {
  const found = parts.find(([chart]) => chart === "linkerd-viz")?.[1].keys.viz;
  return isObject(found) ? found : {};
}
