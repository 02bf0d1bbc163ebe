import type { V1Container, V1Pod } from "@kubernetes/client-node";

const PROXY = "linkerd-proxy";

/** Variable of a proxy with the trust bundle that the injector wrote into its pod. */
export const TRUST_ANCHORS_VARIABLE = "LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS";

/** Variable of a proxy with the identity that it asks for, in terms of variables that Kubernetes gives it. */
export const LOCAL_NAME_VARIABLE = "LINKERD2_PROXY_IDENTITY_LOCAL_NAME";

/** Annotation of this program's workloads that changes with the trust bundle, and rolls them. */
export const TRUST_BUNDLE_ANNOTATION = "linkerd-mtls/trust-bundle-sha256";

/** Label of viz's pods that changes with the trust bundle, and rolls them. */
export const TRUST_BUNDLE_LABEL = "linkerd-mtls/trust-bundle";

/** Label of the control plane's pods. */
const COMPONENT_LABEL = "linkerd.io/control-plane-component";

/** Who recreates pods when the trust bundle changes. */
export type RolledBy = "control plane" | "stack" | "others";

/** Who recreates a pod when the trust bundle changes. */
export function rolledBy({ metadata = {} }: V1Pod): RolledBy {
  const { labels = {}, annotations = {} } = metadata;
  if (COMPONENT_LABEL in labels) {
    return "control plane";
  }
  return TRUST_BUNDLE_ANNOTATION in annotations || TRUST_BUNDLE_LABEL in labels ? "stack" : "others";
}

/** The proxy of a pod; undefined where it has none. */
export function proxyOf({ spec }: V1Pod): V1Container | undefined {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].find(({ name }) => name === PROXY);
}

/** Whether a pod runs, or will: not one that is being deleted or has ended. */
export function isLive({ metadata, status }: V1Pod): boolean {
  return metadata?.deletionTimestamp === undefined && !["Succeeded", "Failed"].includes(status?.phase ?? "");
}

/** A variable of a proxy, where it has a value of its own. */
export function variable(proxy: V1Container, name: string): string | undefined {
  return proxy.env?.find((each) => each.name === name)?.value;
}

/** Service account of a pod that names none. */
const DEFAULT_SERVICE_ACCOUNT = "default";

/** The identity that the proxy of a pod asks for; undefined where it has none. */
export function identityOf(pod: V1Pod): string | undefined {
  const proxy = proxyOf(pod);
  return (
    proxy &&
    variable(proxy, LOCAL_NAME_VARIABLE)
      ?.replace("$(_pod_sa)", pod.spec?.serviceAccountName ?? DEFAULT_SERVICE_ACCOUNT)
      .replace("$(_pod_ns)", pod.metadata?.namespace ?? "")
  );
}

/** Name of the port on which a proxy answers about itself, and its number where the pod does not say. */
const ADMIN_PORT = { name: "linkerd-admin", number: 4191 };

/** The port of a proxy with its metrics. */
export function adminPortOf({ ports = [] }: V1Container): number {
  return ports.find(({ name }) => name === ADMIN_PORT.name)?.containerPort ?? ADMIN_PORT.number;
}
