import {
  DEFAULT_OPAQUE_PORTS,
  INJECT_MODES,
  InjectMode,
  isInjected,
  NamespaceProxySettings,
  POD_SECURITY_LEVELS,
  POD_SECURITY_RULE,
  PodSecurityLevel,
  PortRange,
  refusesProxies,
} from "../components";
import { AuthorizationConfig, readAuthorizations } from "./authorization";
import { readProxySettings } from "./proxy";
import { ConfigReader, describe, DNS_LABEL, FLAG, NAMESPACE, oneOf, Properties, setCommand } from "./reader";
import { readWorkload, WORKLOAD_PROPERTIES, WorkloadConfig } from "./workloads";

/** A namespace of applications. */
export interface NamespaceConfig {
  readonly name: string;
  /** Whether others have made it. */
  readonly existing: boolean;
  /** Undefined only for an existing namespace: its annotation is left as it is. */
  readonly inject?: InjectMode;
  readonly podSecurity?: PodSecurityLevel;
  readonly proxy?: NamespaceProxySettings;
  readonly workloads: readonly WorkloadConfig[];
  /** Who may connect to which ports. */
  readonly authorization: readonly AuthorizationConfig[];
}

/** Namespaces that this key cannot have, and why. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ["linkerd", "it is the control plane's, which is never injected"],
  ["linkerd-viz", "it belongs to the key viz"],
  ["kube-system", "Linkerd's injector passes it over"],
  ["cert-manager", "Linkerd's injector passes it over"],
]);

/** What namespaces are checked against. */
interface Surroundings {
  readonly cniEnabled: boolean;
  /** Whether the init container of meshed pods runs as root. */
  readonly initAsRoot: boolean;
  /** Opaque ports of the whole mesh. Default: the chart's. */
  readonly opaquePorts?: readonly PortRange[];
  /** Namespaces of the sample applications that are deployed. */
  readonly taken: ReadonlySet<string>;
}

/** Key `namespaces`. */
export function readNamespaces(reader: ConfigReader, surroundings: Surroundings): NamespaceConfig[] {
  const key = "namespaces";
  const list = reader.list(reader.json(key), key, "must be a list of namespaces", ".name", "<name>");
  const names = new Set<string>();
  return list.flatMap((item, index) => {
    const path = `${key}[${index}]`;
    const object = reader.object(item, path, PROPERTIES);
    return object === undefined ? [] : [readNamespace(reader, object, path, names, surroundings)];
  });
}

const PROPERTIES = ["name", "existing", "inject", "podSecurity", "proxy", "workloads", "authorization"];

function readNamespace(
  reader: ConfigReader,
  object: Properties,
  key: string,
  names: Set<string>,
  { cniEnabled, initAsRoot, opaquePorts = DEFAULT_OPAQUE_PORTS, taken }: Surroundings,
): NamespaceConfig {
  const existing = reader.property(object, key, "existing", FLAG) ?? false;
  const name = readName(reader, object, key, names, taken);
  const inject =
    reader.property(object, key, "inject", oneOf(INJECT_MODES, "enabled")) ??
    (existing ? undefined : "enabled");
  const podSecurity = reader.property(object, key, "podSecurity", oneOf(POD_SECURITY_LEVELS, "privileged"));
  const proxy = readProxySettings(reader, object.proxy, `${key}.proxy`, "namespace", inject);

  const workloadNames = new Set<string>();
  const path = `${key}.workloads`;
  const list = reader.list(object.workloads, path, "must be a list of workloads", ".name", "<name>");
  const workloads = list.flatMap((item, index) => {
    const workloadKey = `${path}[${index}]`;
    const workload = reader.object(item, workloadKey, WORKLOAD_PROPERTIES);
    if (workload === undefined) {
      return [];
    }
    const read = readWorkload(reader, workload, workloadKey, workloadNames, inject);
    if (read.proxy?.closeWaitTimeout !== undefined && !cniEnabled && !initAsRoot) {
      const setting = `${workloadKey}.proxy.closeWaitTimeout`;
      reader.problem(
        `${NAMESPACE}:${setting}`,
        "must be set only where the container linkerd-init runs as root (proxyInit.runAsRoot)",
        `is ${describe(setting, read.proxy.closeWaitTimeout)}`,
        setCommand("proxyInit.runAsRoot", "true"),
      );
    }
    return [read];
  });

  const authorization = readAuthorizations(
    reader,
    object.authorization,
    `${key}.authorization`,
    (name) =>
      workloads.find((workload) => workload.name === name)?.proxy?.opaquePorts ??
      proxy?.opaquePorts ??
      opaquePorts,
  );
  const takesProxies = isInjected(inject) || workloads.some((workload) => isInjected(workload.inject));
  if (authorization.length > 0 && inject === "disabled" && !takesProxies) {
    const rule = "must be set only where pods are injected, because a proxy enforces it";
    reader.superfluous(`${key}.authorization`, rule, "inject is disabled");
  }
  if (takesProxies && refusesProxies(podSecurity, cniEnabled)) {
    const level = `${key}.podSecurity`;
    reader.problem(
      `${NAMESPACE}:${level}`,
      POD_SECURITY_RULE,
      `is ${describe(level, podSecurity)}`,
      setCommand(level, "privileged"),
      `${setCommand("cniEnabled", "true")}    # once the plugin is installed`,
    );
  }
  return { name, existing, inject, podSecurity, proxy, workloads, authorization };
}

function readName(
  reader: ConfigReader,
  { name }: Properties,
  key: string,
  names: Set<string>,
  taken: ReadonlySet<string>,
): string {
  if (typeof name !== "string" || !DNS_LABEL.test(name)) {
    reader.invalid(`${key}.name`, "must be a DNS label, as a string", name, "<name>");
    return key;
  }
  const refused = taken.has(name) ? "it belongs to a sample application" : REFUSED.get(name);
  if (refused !== undefined) {
    reader.invalid(`${key}.name`, `must be another namespace (${refused})`, name, "<name>");
  }
  if (names.has(name)) {
    reader.invalid(`${key}.name`, "must be unique", name, "<name>");
  }
  names.add(name);
  return name;
}
