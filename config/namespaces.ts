import { ApplicationNamespace, InjectMode, Workload } from "../components";
import {
  DEFAULT_OPAQUE_PORTS,
  DNS_LABEL,
  FLAG,
  INJECT_MODE,
  isInjected,
  namespaceNameProblems,
  otherNamespace,
  podSecurityProblems,
  POD_SECURITY,
  PortRange,
  unexpected,
} from "../components/rules";
import { readAuthorization, withOpaqueProtocol } from "./authorization";
import { checkUnique, elsewhere, list, object, Place, Reading, requiredText, value } from "./reading";
import { readProxySettings, readWorkload } from "./workloads";

/** A namespace of the configuration, in which nothing is left out. */
export type NamespaceConfig = ApplicationNamespace &
  Required<Pick<ApplicationNamespace, "existing" | "workloads" | "authorization">>;

const EXAMPLE = { path: "name", to: DNS_LABEL.example };

const readProperties = object({
  name: requiredText(DNS_LABEL),
  existing: value(FLAG),
  inject: value(INJECT_MODE),
  podSecurity: value(POD_SECURITY),
  proxy: elsewhere,
  workloads: elsewhere,
  authorization: readAuthorization,
});

const readList = list("must be a list of namespaces", EXAMPLE, readNamespace);

/** Namespaces of applications. */
export const readNamespaces: Reading<NamespaceConfig[]> = (place) => {
  const namespaces = readList(place);
  const names = namespaces.map(({ name }) => name);
  checkUnique(place, "name", names, "must be unique");
  return namespaces;
};

function readNamespace(place: Place): NamespaceConfig | undefined {
  const properties = readProperties(place);
  if (properties === undefined) {
    return undefined;
  }
  const { existing = false } = properties;
  const inject = properties.inject ?? (existing ? undefined : "enabled");
  return {
    ...properties,
    existing,
    inject,
    proxy: readProxySettings(place.at("proxy"), "namespace", inject),
    workloads: readWorkloads(place.at("workloads"), inject),
  };
}

function readWorkloads(place: Place, inject: InjectMode | undefined): Workload[] {
  const workloads = list("must be a list of workloads", EXAMPLE, (item) => readWorkload(item, inject))(place);
  const names = workloads.map(({ name }) => name);
  checkUnique(place, "name", names, "must be unique in its namespace");
  return workloads;
}

/** What namespaces must fit. */
export interface Surroundings {
  readonly cniEnabled: boolean;
  /** Whether the init container of meshed pods runs as root. */
  readonly initAsRoot: boolean;
  /** Namespaces that the stack makes for something else, and for what. */
  readonly reserved: ReadonlyMap<string, string>;
}

/** Reports what does not fit the rest of the configuration. */
export function checkNamespaces(
  place: Place,
  namespaces: readonly NamespaceConfig[],
  surroundings: Surroundings,
): void {
  for (const [index, namespace] of namespaces.entries()) {
    checkNamespace(place.at(`[${index}]`), namespace, surroundings);
  }
}

function checkNamespace(
  place: Place,
  { name, existing, inject, podSecurity, workloads, authorization }: NamespaceConfig,
  { cniEnabled, initAsRoot, reserved }: Surroundings,
): void {
  const reason = reserved.get(name);
  place.report(
    ...(reason === undefined
      ? namespaceNameProblems(name, existing)
      : [otherNamespace("name", name, reason)]),
  );
  for (const [index, { proxy }] of workloads.entries()) {
    if (proxy?.closeWaitTimeout !== undefined && !cniEnabled && !initAsRoot) {
      place.reportWithFixes([{ set: "proxyInit.runAsRoot", to: "true" }], {
        path: `workloads[${index}].proxy.closeWaitTimeout`,
        rule: "must be set only where the container linkerd-init runs as root (proxyInit.runAsRoot)",
        found: { value: proxy.closeWaitTimeout },
      });
    }
  }
  const takesProxies = isInjected(inject) || workloads.some((workload) => isInjected(workload.inject));
  if (authorization.length > 0 && inject === "disabled" && !takesProxies) {
    const rule = "must be set only where pods are injected, because a proxy enforces it";
    place.report(unexpected("authorization", rule, "inject is disabled"));
  }
  if (takesProxies) {
    const plugin = { set: "cniEnabled", to: "true", note: "once the plugin is installed" };
    place.reportWithFixes([plugin], ...podSecurityProblems(podSecurity, cniEnabled));
  }
}

/** Ports that are opaque for the pods of an authorization are so there too. `meshPorts`: opaque in the whole mesh. */
export function withOpaqueProtocols(
  { proxy, workloads, authorization, ...namespace }: NamespaceConfig,
  meshPorts: readonly PortRange[] = DEFAULT_OPAQUE_PORTS,
): NamespaceConfig {
  const opaquePorts = (name: string | undefined): readonly PortRange[] =>
    workloads.find((workload) => workload.name === name)?.proxy?.opaquePorts ??
    proxy?.opaquePorts ??
    meshPorts;
  return {
    ...namespace,
    proxy,
    workloads,
    authorization: authorization.map((item) => withOpaqueProtocol(item, opaquePorts(item.workload))),
  };
}
