import { DEFAULT_LINKERD_VERSION, isOlder, LinkerdVersion } from "../controlPlane/version";
import { PORT_LIST, PORT_RANGE, PortRange } from "../validation/ports";
import { check, checkList, checkObject, isObject, Problem, unexpected } from "../validation/problem";
import { FLAG, oneOf, Rule, text } from "../validation/rule";

/** Whether pods are injected; `ingress` is for ingress controllers that choose endpoints themselves. */
export type InjectMode = "enabled" | "ingress" | "disabled";

/** Rule of an {@link InjectMode}. */
export const INJECT_MODE = oneOf<InjectMode>(["enabled", "ingress", "disabled"]);

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
interface Setting extends Kind {
  readonly annotation: string;
  /** Whether pods inherit the annotation from their namespace. */
  readonly inherited: boolean;
}

/** What values a setting takes. */
interface Kind {
  readonly check: (path: string, value: unknown) => Problem[];
  /** Default: as text, a list joined by commas. */
  readonly format?: (value: unknown) => string;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
const QUANTITY = /^(\d+\.?\d*|\.\d+)([eE][+-]?\d+|[numkMGTPE]|[KMGTPE]i)?$/;
/** As Go's time.ParseDuration reads it. */
const GO_DURATION = /^((\d+\.?\d*|\.\d+)(ns|us|ms|s|m|h))+$/;

const one = <T>(rule: Rule<T>): Kind => ({ check: (path, value) => check(path, value, rule) });
const ports: Kind = { check: (path, value) => checkList(path, value, PORT_LIST, PORT_RANGE) };
const quantity = (example: string): Kind =>
  one<Quantity>({
    rule: `must be a Kubernetes quantity such as ${example}`,
    example,
    allows: (value): value is Quantity =>
      ["string", "number"].includes(typeof value) && QUANTITY.test(String(value)),
  });
const duration = (example: string): Kind =>
  one(text(`must be a duration such as ${example}`, GO_DURATION, example));
const flag = (yes: string, no: string): Kind => ({
  ...one(FLAG),
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
  logLevel: inherited(
    "proxy-log-level",
    one(text('must be a log filter such as "warn,linkerd=info"', /\S/, "warn,linkerd=info")),
  ),
  opaquePorts: inherited("opaque-ports", ports),
  skipInboundPorts: inherited("skip-inbound-ports", ports),
  skipOutboundPorts: inherited("skip-outbound-ports", ports),
  defaultInboundPolicy: inherited(
    "default-inbound-policy",
    one(oneOf(INBOUND_POLICIES, "cluster-authenticated")),
  ),
  nativeSidecar: inherited("proxy-enable-native-sidecar", flag("true", "false"), "config.beta.linkerd.io"),
  await: inherited("proxy-await", flag("enabled", "disabled")),
  shutdownGracePeriod: inherited("shutdown-grace-period", duration("30s")),
  cpuRatioLimit: notInherited(
    "proxy-cpu-ratio-limit",
    one({
      rule: "must be a number above 0 and at most 1",
      example: "0.5",
      allows: (value): value is number => typeof value === "number" && value > 0 && value <= 1,
    }),
  ),
  closeWaitTimeout: notInherited("close-wait-timeout", duration("1m")),
};

/**
 * Checks settings, which may come from outside the type system and be absent, for a namespace or for a workload whose pods
 * are injected as `inject` says.
 */
export function proxySettingProblems(
  settings: unknown,
  scope: "namespace" | "workload",
  inject?: InjectMode,
): Problem[] {
  if (settings === undefined) {
    return [];
  }
  if (inject === "disabled") {
    return [
      unexpected("", "must not be set where inject is disabled, because no proxy would read it", "is set"),
    ];
  }
  const problems = checkObject("", settings, Object.keys(SETTINGS));
  for (const [name, value] of Object.entries(isObject(settings) ? settings : {})) {
    if (!isSetting(name) || value === undefined) {
      continue;
    }
    const setting = SETTINGS[name];
    if (scope === "namespace" && !setting.inherited) {
      problems.push(unexpected(name, NOT_INHERITED, { value }));
    } else {
      problems.push(...setting.check(name, value));
    }
  }
  return problems;
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

/**
 * Newer annotations of a pod's own settings, beside the older ones, which charts in a directory may know alone. They are not
 * for a namespace: pods inherit each annotation by itself, and a newer one would outrank the older one of a pod.
 */
export function newerAnnotations(
  { nativeSidecar }: ProxySettings,
  release: LinkerdVersion = DEFAULT_LINKERD_VERSION,
): Record<string, string> {
  return nativeSidecar === undefined || isOlder(release, "edge-26.5.2")
    ? {}
    : { "config.linkerd.io/proxy-enable-native-sidecar": String(nativeSidecar) };
}

function isSetting(name: string): name is keyof ProxySettings {
  return Object.hasOwn(SETTINGS, name);
}
