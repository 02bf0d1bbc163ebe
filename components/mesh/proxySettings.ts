/** Whether pods are injected; `ingress` is for ingress controllers that choose endpoints themselves. */
export type InjectMode = "enabled" | "ingress" | "disabled";

/** Every mode. */
export const INJECT_MODES: readonly InjectMode[] = ["enabled", "ingress", "disabled"];

/** Annotation with an {@link InjectMode}, of a namespace or of a pod; the pod's counts first. */
export const INJECT_ANNOTATION = "linkerd.io/inject";

/** Annotation with opaque ports, of a namespace, of a pod or of a Service. */
export const OPAQUE_PORTS_ANNOTATION = "config.linkerd.io/opaque-ports";

/** Whether a mode asks for a proxy. */
export function isInjected(mode: InjectMode | undefined): boolean {
  return mode === "enabled" || mode === "ingress";
}

/** What a proxy does with connections that no `Server` describes. `audit` lets them through and logs them. */
export type InboundPolicy =
  | "all-unauthenticated"
  | "all-authenticated"
  | "cluster-unauthenticated"
  | "cluster-authenticated"
  | "deny"
  | "audit";

const INBOUND_POLICIES: readonly InboundPolicy[] = [
  "all-unauthenticated",
  "all-authenticated",
  "cluster-unauthenticated",
  "cluster-authenticated",
  "deny",
  "audit",
];

/** A Kubernetes quantity, e.g. `100m`, `20Mi` or 1. */
export type Quantity = number | string;

/** A port number, or a range such as `4567-4568`. */
export type PortRange = number | string;

/**
 * Settings of a proxy that pods inherit from their namespace (linkerd2, pkg/inject, `ProxyAnnotations`). What is not
 * set is as the control plane's chart says. A list of ports replaces the chart's list, it does not add to it. Linkerd
 * reads settings when a pod is created. Source: https://linkerd.io/2/reference/proxy-configuration/
 */
export interface NamespaceProxySettings {
  /** CPU request. */
  readonly cpuRequest?: Quantity;
  /** CPU limit; rounded up to whole cores it is the number of the proxy's threads. */
  readonly cpuLimit?: Quantity;
  /** Memory request. */
  readonly memoryRequest?: Quantity;
  /** Memory limit. */
  readonly memoryLimit?: Quantity;
  /** Log filter, e.g. `warn,linkerd=info`. */
  readonly logLevel?: string;
  /** Ports whose protocol is not detected, e.g. of databases where the server speaks first. Still encrypted. */
  readonly opaquePorts?: readonly PortRange[];
  /** Ports on which pods are reached past the proxy. Not encrypted. */
  readonly skipInboundPorts?: readonly PortRange[];
  /** Ports to which pods connect past the proxy. Not encrypted. */
  readonly skipOutboundPorts?: readonly PortRange[];
  /** Default inbound policy. */
  readonly defaultInboundPolicy?: InboundPolicy;
  /** Whether the proxy is a native sidecar, an init container that keeps running; older injectors ignore it. */
  readonly nativeSidecar?: boolean;
  /** Whether the pod's containers start only when its proxy is ready. */
  readonly await?: boolean;
  /** How long a proxy that ends waits for its connections, a duration such as `30s`. */
  readonly shutdownGracePeriod?: string;
}

/** All settings of a proxy, with those that pods do not inherit from their namespace. */
export interface ProxySettings extends NamespaceProxySettings {
  /** Threads of the proxy at most, as a ratio of the node's cores: more than 0, at most 1. */
  readonly cpuRatioLimit?: number;
  /**
   * How long the kernel keeps a connection that one side has closed, a duration such as `1m`. The init container then
   * runs privileged, and needs the chart's `proxyInit.runAsRoot`.
   */
  readonly closeWaitTimeout?: string;
}

/** How a setting is written down, and which values it takes. */
interface Setting {
  readonly annotation: string;
  /** Whether pods inherit the annotation from their namespace. */
  readonly inherited: boolean;
  /** What a value must be. */
  readonly rule: string;
  /** A value that is right; of a list, an item. */
  readonly example: string;
  readonly allows: (value: unknown) => boolean;
  /** Default: as text, a list joined by commas. */
  readonly format?: (value: unknown) => string;
}

/** What values a setting takes. */
type Kind = Pick<Setting, "rule" | "example" | "allows" | "format">;

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
const QUANTITY = /^(\d+\.?\d*|\.\d+)([eE][+-]?\d+|[numkMGTPE]|[KMGTPE]i)?$/;
/** As Go's time.ParseDuration reads it. */
const DURATION = /^((\d+\.?\d*|\.\d+)(ns|us|ms|s|m|h))+$/;
const MAX_PORT = 65535;

const isText = (pattern: RegExp) => (value: unknown) => typeof value === "string" && pattern.test(value);
const quantity = (example: string): Kind => ({
  rule: `must be a Kubernetes quantity such as ${example}`,
  example,
  allows: (value) => ["string", "number"].includes(typeof value) && QUANTITY.test(String(value)),
});
const duration = (example: string): Kind => ({
  rule: `must be a duration such as ${example}`,
  example,
  allows: isText(DURATION),
});
/** What a list of ports must be. */
export const PORT_LIST: Kind = {
  rule: `must be a list of ports (1 to ${MAX_PORT}) or of ranges such as "4567-4568"`,
  example: "4567",
  allows: isPortList,
};
const flag = (yes: string, no: string): Kind => ({
  rule: "must be true or false",
  example: "true",
  allows: (value) => typeof value === "boolean",
  format: (value) => (value === true ? yes : no),
});

const inherited = (annotation: string, kind: Kind, prefix = "config.linkerd.io"): Setting => ({
  annotation: `${prefix}/${annotation}`,
  inherited: true,
  ...kind,
});
const notInherited = (annotation: string, kind: Kind): Setting => ({
  ...inherited(annotation, kind),
  inherited: false,
});

const SETTINGS: Readonly<Record<keyof ProxySettings, Setting>> = {
  cpuRequest: inherited("proxy-cpu-request", quantity("100m")),
  cpuLimit: inherited("proxy-cpu-limit", quantity("1")),
  memoryRequest: inherited("proxy-memory-request", quantity("20Mi")),
  memoryLimit: inherited("proxy-memory-limit", quantity("250Mi")),
  logLevel: inherited("proxy-log-level", {
    rule: 'must be a log filter such as "warn,linkerd=info"',
    example: "warn,linkerd=info",
    allows: isText(/\S/),
  }),
  opaquePorts: inherited("opaque-ports", PORT_LIST),
  skipInboundPorts: inherited("skip-inbound-ports", PORT_LIST),
  skipOutboundPorts: inherited("skip-outbound-ports", PORT_LIST),
  defaultInboundPolicy: inherited("default-inbound-policy", {
    rule: `must be one of ${INBOUND_POLICIES.join(", ")}`,
    example: "cluster-authenticated",
    allows: (value) => INBOUND_POLICIES.some((policy) => policy === value),
  }),
  nativeSidecar: inherited("proxy-enable-native-sidecar", flag("true", "false"), "config.beta.linkerd.io"),
  await: inherited("proxy-await", flag("enabled", "disabled")),
  shutdownGracePeriod: inherited("shutdown-grace-period", duration("30s")),
  cpuRatioLimit: notInherited("proxy-cpu-ratio-limit", {
    rule: "must be a number above 0 and at most 1",
    example: "0.5",
    allows: (value) => typeof value === "number" && value > 0 && value <= 1,
  }),
  closeWaitTimeout: notInherited("close-wait-timeout", duration("1m")),
};

/** What is wrong with one proxy setting. */
export interface ProxySettingProblem {
  readonly setting: string;
  /** What it must be. */
  readonly rule: string;
  /** What it is. */
  readonly found: unknown;
  /** A right value and where it belongs, e.g. `opaquePorts[1]`; none where the setting must not be here at all. */
  readonly remedy?: { readonly path: string; readonly value: string };
}

/** Checks settings, which may come from outside the type system, for a namespace or for a workload. */
export function proxySettingProblems(
  settings: object,
  scope: "namespace" | "workload",
): ProxySettingProblem[] {
  return Object.entries(settings).flatMap(([setting, found]): ProxySettingProblem[] => {
    if (!isSetting(setting)) {
      return [{ setting, rule: `must be one of ${Object.keys(SETTINGS).join(", ")}`, found }];
    }
    if (found === undefined) {
      return [];
    }
    const { inherited, rule, example, allows } = SETTINGS[setting];
    if (!inherited && scope === "namespace") {
      return [{ setting, rule: NOT_INHERITED, found }];
    }
    const path = allows === isPortList ? `${setting}[${wrongPort(found)}]` : setting;
    return allows(found) ? [] : [{ setting, rule, found, remedy: { path, value: example } }];
  });
}

const NOT_INHERITED = "must be set on the workload, because pods do not inherit it from their namespace";

/** The annotations, of a namespace or of a pod, that say the same as the settings. */
export function proxyAnnotations(settings: ProxySettings): Record<string, string> {
  const annotations: Record<string, string> = {};
  for (const [setting, value] of Object.entries(settings)) {
    if (isSetting(setting) && value !== undefined) {
      const { annotation, format = String } = SETTINGS[setting];
      annotations[annotation] = format(value);
    }
  }
  return annotations;
}

function isSetting(name: string): name is keyof ProxySettings {
  return Object.hasOwn(SETTINGS, name);
}

/** Whether a value is a list of ports and ranges. */
export function isPortList(value: unknown): value is readonly PortRange[] {
  return Array.isArray(value) && value.every(isPortRange);
}

function isPortRange(value: unknown): boolean {
  const bounds = String(value).split("-").map(toPort);
  const [from = 0, to = from] = bounds;
  return bounds.length <= 2 && bounds.every((port) => port >= 1 && port <= MAX_PORT) && from <= to;
}

function toPort(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : 0;
}

/** Index of the first item that is no port; 0 where there is no list. */
export function wrongPort(value: unknown): number {
  return Array.isArray(value) ? value.findIndex((item) => !isPortRange(item)) : 0;
}
