import { isDeepStrictEqual } from "node:util";

import type { ChartName } from "../../components";
import { settingsValues } from "../../components/controlPlane/settings";
import {
  CHART_RULES,
  describeDuration,
  describeFound,
  helmValueProblems,
  isObject,
  parseDuration,
  type Properties,
} from "../../components/rules";
import { fromLeaves, type Leaf, leavesOf, valueAt } from "./leaves";
import type { Installed, Left } from "./present";

/** Values of a chart as the stack's configuration has them. */
export interface Carried {
  /** Keys of their own, without the project's name. */
  readonly keys: Readonly<Record<string, unknown>>;
  /** What the key `values` has for the chart. */
  readonly values: Properties;
  readonly left: readonly Left[];
}

/** How values of the chart linkerd-control-plane become keys: a path in the configuration, and the value there. */
const TO_KEYS: Readonly<Record<string, readonly [path: string, convert: (value: unknown) => unknown]>> = {
  "identity.issuer.issuanceLifetime": ["issuanceLifetime", duration],
  webhookFailurePolicy: ["webhookFailurePolicy", same],
  cniEnabled: ["cniEnabled", same],
  highAvailability: ["highAvailability", same],
  "proxy.opaquePorts": ["opaquePorts", ports],
  "proxyInit.iptablesMode": ["proxyInit.iptablesMode", same],
  "proxyInit.runAsRoot": ["proxyInit.runAsRoot", same],
  "proxyInit.ignoreInboundPorts": ["proxyInit.ignoreInboundPorts", ports],
  "proxyInit.ignoreOutboundPorts": ["proxyInit.ignoreOutboundPorts", ports],
  imagePullSecrets: ["imagePullSecrets", secretNames],
};

const VIZ_TO_KEYS: typeof TO_KEYS = {
  "dashboard.enforcedHostRegexp": ["viz.enforcedHostRegexp", same],
  prometheusUrl: ["viz.prometheusUrl", same],
};

/** What the program sets from other sources, or what says nothing of the mesh. */
const SET_ELSEWHERE =
  /^(identityTrustAnchorsPEM|identityTrustDomain|linkerdVersion|heartbeatSchedule|identity\.(externalCA|issuer\.(scheme|tls)(\..*)?)|(proxyInjector|profileValidator|policyValidator|tap|tapInjector)\.(externalSecret|caBundle|injectCaFrom|injectCaFromSecret|crtPEM|keyPEM)|prometheus\.enabled|linkerdNamespace|createNamespaceMetadataJob)$/;

/** Sorts the values of a chart. `source`: where the chart comes from, for the names that it has. */
export function carry({ chart, values }: Installed, source: string, effective: Properties = {}): Carried {
  const keyed = chart === "linkerd-control-plane" ? TO_KEYS : chart === "linkerd-viz" ? VIZ_TO_KEYS : {};
  const keys: Leaf[] = [];
  const kept: Leaf[] = [];
  const left: Left[] = [];
  for (const leaf of merged(chart, values, effective)) {
    const path = leaf.names.join(".");
    const key = keyed[path];
    if (key !== undefined) {
      const [target, convert] = key;
      keys.push({ names: target.split("."), value: convert(leaf.value) });
    } else if (!SET_ELSEWHERE.test(path)) {
      const [problem] = helmValueProblems(CHART_RULES[chart], source, fromLeaves([leaf]));
      if (problem === undefined) kept.push(leaf);
      else {
        // The value itself can be a secret.
        const found = typeof problem.found === "string" ? `, but ${describeFound(problem.found)}` : "";
        left.push({ what: `value ${path} of ${chart}`, todo: `it ${problem.rule}${found}` });
      }
    }
  }
  return { keys: fromLeaves(keys), values: fromLeaves(kept), left };
}

/** Leaves of the values; with `highAvailability`, only what differs from what the program sets for it. */
function merged(chart: ChartName, values: Properties, effective: Properties): Leaf[] {
  const leaves = leavesOf(values).filter(({ names }) => names.length > 0);
  if (chart !== "linkerd-control-plane" || values.highAvailability !== true) return leaves;
  const set = leavesOf(settingsValues({ highAvailability: true }));
  const isSet = ({ names }: Leaf): boolean =>
    set.some((own) => isDeepStrictEqual(own.names, names) && names[0] !== "highAvailability");
  const other = set
    .filter(({ names }) => names[0] !== "highAvailability")
    .map(({ names, value }) => ({ names, value, live: valueAt(values, names) ?? valueAt(effective, names) }))
    .filter(({ value, live }) => live !== undefined && !isDeepStrictEqual(live, value))
    .map(({ names, live }) => ({ names, value: live }));
  return [...leaves.filter((leaf) => !isSet(leaf)), ...other];
}

function same(value: unknown): unknown {
  return value;
}

/** As the configuration's own rule wants it: `24h` for `24h0m0s`. */
function duration(value: unknown): unknown {
  const seconds = typeof value === "string" ? parseDuration(value) : undefined;
  return seconds === undefined ? value : describeDuration(seconds).split(" ", 1).join();
}

/** Ports as the chart writes them, `25,587,8000-8010`. */
function ports(value: unknown): unknown {
  return String(value)
    .split(",")
    .map((port) => port.trim())
    .filter((port) => port !== "")
    .map((port) => (/^\d+$/.test(port) ? Number(port) : port));
}

function secretNames(value: unknown): unknown {
  return Array.isArray(value) ? value.map((item: unknown) => (isObject(item) ? item.name : item)) : value;
}
