import { ClusterAccess, connect, describeError } from "../cluster/client";
import { LINKERD_NAMESPACE, VIZ_NAMESPACE } from "../controlPlane/linkerdNamespace";

/** An injector: the objects of Linkerd's charts that it consists of. */
interface Injector {
  readonly name: string;
  readonly webhook: string;
  readonly namespace: string;
  /** Helm release of the chart. */
  readonly release: string;
  readonly service: string;
  /** Label selector of its pods. */
  readonly selector: string;
}

/** Adds the proxy; of the chart linkerd-control-plane. */
export const PROXY_INJECTOR: Injector = {
  name: "injector",
  webhook: "linkerd-proxy-injector-webhook-config",
  namespace: LINKERD_NAMESPACE,
  release: "linkerd-control-plane",
  service: "linkerd-proxy-injector",
  selector: "linkerd.io/control-plane-component=proxy-injector",
};

/** Switches on tap in the proxy; of the chart linkerd-viz. */
export const TAP_INJECTOR: Injector = {
  name: "tap injector",
  webhook: "linkerd-tap-injector-webhook-config",
  namespace: VIZ_NAMESPACE,
  release: "linkerd-viz",
  service: "tap-injector",
  selector: "linkerd.io/extension=viz,component=tap-injector",
};

const TIMEOUT_MS = 5_000;

/** The state of an injector, one line for each of its parts. Does not throw. */
export async function describeInjector(access: ClusterAccess, injector: Injector): Promise<string[]> {
  return Promise.all([
    describeRelease(access, injector),
    describeWebhook(access, injector),
    describeService(access, injector),
    describePods(access, injector),
  ]);
}

/** Commands that show more of an injector. */
export function commandsFor({ webhook, namespace, service, selector }: Injector): string[] {
  return [
    `kubectl get mutatingwebhookconfiguration ${webhook}`,
    `kubectl -n ${namespace} get endpointslices -l kubernetes.io/service-name=${service}`,
    `kubectl -n ${namespace} describe pods -l ${selector}`,
    `kubectl -n ${namespace} logs -l ${selector} --all-containers`,
  ];
}

/** What a person does about a status of Helm's that no deployment of the same release ends. */
const REMEDIES: Readonly<Record<string, string>> = {
  uninstalling: ", because a destroy was killed: run `pulumi destroy --refresh`, then `pulumi up`",
};

async function describeRelease(access: ClusterAccess, { namespace, release }: Injector): Promise<string> {
  return describing(`Helm release ${namespace}/${release}`, async () => {
    const core = await connect(access, (k8s) => k8s.CoreV1Api, TIMEOUT_MS);
    const { items } = await core.listNamespacedSecret({
      namespace,
      labelSelector: `owner=helm,name=${release}`,
    });
    const records = items.map(({ metadata }) => metadata?.labels ?? {});
    const [{ status = "none" } = {}] = records.sort((a, b) => Number(b.version) - Number(a.version));
    return `${status}${REMEDIES[status] ?? ""}`;
  });
}

async function describeWebhook(access: ClusterAccess, { webhook }: Injector): Promise<string> {
  return describing(`MutatingWebhookConfiguration ${webhook}`, async () => {
    const api = await connect(access, (k8s) => k8s.AdmissionregistrationV1Api, TIMEOUT_MS);
    const configuration = await api.readMutatingWebhookConfiguration({ name: webhook });
    const policies = (configuration.webhooks ?? []).map(({ failurePolicy }) => failurePolicy ?? "Fail");
    return `present, failurePolicy ${policies.join(", ")}`;
  });
}

async function describeService(access: ClusterAccess, { namespace, service }: Injector): Promise<string> {
  return describing(`Service ${namespace}/${service}`, async () => {
    const core = await connect(access, (k8s) => k8s.CoreV1Api, TIMEOUT_MS);
    await core.readNamespacedService({ namespace, name: service });
    const api = await connect(access, (k8s) => k8s.DiscoveryV1Api, TIMEOUT_MS);
    const slices = await api.listNamespacedEndpointSlice({
      namespace,
      labelSelector: `kubernetes.io/service-name=${service}`,
    });
    const endpoints = slices.items.flatMap((slice) => slice.endpoints);
    // An absent condition means ready.
    const ready = endpoints.filter((endpoint) => endpoint.conditions?.ready !== false);
    return `${ready.length} of ${endpoints.length} endpoints ready`;
  });
}

async function describePods(access: ClusterAccess, { name, namespace, selector }: Injector): Promise<string> {
  return describing(`${name} pods`, async () => {
    const core = await connect(access, (k8s) => k8s.CoreV1Api, TIMEOUT_MS);
    const pods = await core.listNamespacedPod({ namespace, labelSelector: selector });
    const states = pods.items.map((pod) => {
      const ready = pod.status?.conditions?.some((c) => c.type === "Ready" && c.status === "True") ?? false;
      return `${pod.metadata?.name ?? "?"} ${pod.status?.phase ?? "Unknown"}${ready ? "" : ", not ready"}`;
    });
    return states.length === 0 ? "none" : states.join("; ");
  });
}

async function describing(what: string, read: () => Promise<string>): Promise<string> {
  try {
    return `${what}: ${await read()}`;
  } catch (error) {
    const { status, message } = describeError(error);
    return `${what}: ${status === 404 ? "not found" : `cannot be read: ${message}`}`;
  }
}
