import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

import type * as client from "@kubernetes/client-node";

import { InjectionAnswer, InjectionApi } from "./injectionProbe";
import { LINKERD_NAMESPACE } from "./linkerdNamespace";
import { GUARD_NAME } from "./meshGuard";

/** Which cluster, as the Kubernetes provider is told. Neither value reaches the state. */
export interface ClusterAccess {
  /** Path or contents of a kubeconfig. Default: KUBECONFIG, then ~/.kube/config, then the pod's own cluster. */
  readonly kubeconfig?: string;
  /** Context in it. Default: its current one. */
  readonly context?: string;
}

/** The objects of Linkerd's chart that injection depends on. */
const WEBHOOK = "linkerd-proxy-injector-webhook-config";
const SERVICE = "linkerd-proxy-injector";
const POD_LABEL = "linkerd.io/control-plane-component=proxy-injector";

const PROXY = "linkerd-proxy";
const DIAGNOSIS_TIMEOUT_MS = 10_000;

/** Asks a real API server about injection, with pods in `namespace`. Connects when it is first asked. */
export function injectionApi(access: ClusterAccess, namespace: string): InjectionApi {
  return {
    async dryRun(timeoutMs) {
      try {
        const core = await connect(access, (k8s) => k8s.CoreV1Api, timeoutMs);
        return readPod(await core.createNamespacedPod({ namespace, dryRun: "All", body: probePod() }));
      } catch (error) {
        return readError(error, namespace, timeoutMs);
      }
    },

    async diagnose() {
      const lines = await Promise.all([
        describeWebhook(access),
        describeService(access),
        describePods(access),
      ]);
      return [
        ...lines,
        "look at:",
        `  kubectl get mutatingwebhookconfiguration ${WEBHOOK}`,
        `  kubectl -n ${LINKERD_NAMESPACE} get endpointslices -l kubernetes.io/service-name=${SERVICE}`,
        `  kubectl -n ${LINKERD_NAMESPACE} describe pods -l ${POD_LABEL}`,
        `  kubectl -n ${LINKERD_NAMESPACE} logs -l ${POD_LABEL} --all-containers`,
      ];
    },
  };
}

/* eslint @typescript-eslint/no-unsafe-class-instance-assignment: "off" -- client-node takes plain objects for its models */
function probePod(): client.V1Pod {
  return {
    metadata: { generateName: "linkerd-injection-probe-", annotations: { "linkerd.io/inject": "enabled" } },
    spec: { containers: [{ name: "probe", image: "registry.k8s.io/pause:3.10" }] },
  };
}

function readPod(pod: client.V1Pod): InjectionAnswer {
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const proxy = containers.find((container) => container.name === PROXY);
  return proxy === undefined
    ? { injected: false, reason: "the pod was accepted without a proxy, so the injector did not answer" }
    : { injected: true, proxyImage: proxy.image ?? "without an image" };
}

/** Tells apart what a person would mend differently. */
function readError(error: unknown, namespace: string, timeoutMs: number): InjectionAnswer {
  const { status, message } = describeError(error);
  if (status === undefined) {
    const late = error instanceof Error && error.name === "AbortError";
    const reason = late ? `no answer within ${(timeoutMs / 1000).toFixed(1)} s` : message;
    return { injected: false, reason: `the API server cannot be reached: ${reason}` };
  }
  if (message.includes(`ValidatingAdmissionPolicy '${GUARD_NAME}'`)) {
    return { injected: false, reason: "the mesh guard refused the pod, because the injector did not answer" };
  }
  if (status === 401 || (status === 403 && message.includes("cannot create resource"))) {
    const mend = `the deploying user must be allowed to create pods in namespace ${namespace}`;
    return { injected: false, final: true, reason: `permission is missing, ${mend}: ${message}` };
  }
  return { injected: false, reason: `the API server refused the pod (${status}): ${message}` };
}

function describeError(error: unknown): { status?: number; message: string } {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "number") {
    return { message };
  }
  // A client-node ApiException: its body is a Status object, as text.
  const body = "body" in error ? error.body : undefined;
  try {
    const status: unknown = typeof body === "string" ? JSON.parse(body) : body;
    if (typeof status === "object" && status !== null && "message" in status) {
      return { status: error.code, message: String(status.message) };
    }
  } catch {
    // Not a Status; a proxy before the API server answered.
  }
  return { status: error.code, message };
}

async function describeWebhook(access: ClusterAccess): Promise<string> {
  return describing(`MutatingWebhookConfiguration ${WEBHOOK}`, async () => {
    const api = await connect(access, (k8s) => k8s.AdmissionregistrationV1Api, DIAGNOSIS_TIMEOUT_MS);
    const configuration = await api.readMutatingWebhookConfiguration({ name: WEBHOOK });
    const policies = (configuration.webhooks ?? []).map((webhook) => webhook.failurePolicy ?? "Fail");
    return `present, failurePolicy ${policies.join(", ")}`;
  });
}

async function describeService(access: ClusterAccess): Promise<string> {
  return describing(`Service ${LINKERD_NAMESPACE}/${SERVICE}`, async () => {
    const core = await connect(access, (k8s) => k8s.CoreV1Api, DIAGNOSIS_TIMEOUT_MS);
    await core.readNamespacedService({ namespace: LINKERD_NAMESPACE, name: SERVICE });
    const api = await connect(access, (k8s) => k8s.DiscoveryV1Api, DIAGNOSIS_TIMEOUT_MS);
    const slices = await api.listNamespacedEndpointSlice({
      namespace: LINKERD_NAMESPACE,
      labelSelector: `kubernetes.io/service-name=${SERVICE}`,
    });
    const endpoints = slices.items.flatMap((slice) => slice.endpoints);
    // An absent condition means ready.
    const ready = endpoints.filter((endpoint) => endpoint.conditions?.ready !== false);
    return `${ready.length} of ${endpoints.length} endpoints ready`;
  });
}

async function describePods(access: ClusterAccess): Promise<string> {
  return describing("injector pods", async () => {
    const core = await connect(access, (k8s) => k8s.CoreV1Api, DIAGNOSIS_TIMEOUT_MS);
    const pods = await core.listNamespacedPod({ namespace: LINKERD_NAMESPACE, labelSelector: POD_LABEL });
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

/** A client whose requests give up after `timeoutMs`. */
async function connect<T extends client.ApiType>(
  access: ClusterAccess,
  api: (k8s: typeof client) => new (configuration: client.Configuration) => T,
  timeoutMs: number,
): Promise<T> {
  // Loaded here, because only a deployment that changes something asks.
  const k8s = await import("@kubernetes/client-node");
  const kubeconfig = loadKubeConfig(new k8s.KubeConfig(), access);
  const cluster = kubeconfig.getCurrentCluster();
  if (cluster === null) {
    throw new Error(`the kubeconfig has no cluster for its context ${kubeconfig.getCurrentContext()}`);
  }
  const configuration = k8s.createConfiguration({
    baseServer: new k8s.ServerConfiguration(cluster.server, {}),
    authMethods: { default: kubeconfig },
    promiseMiddleware: [
      {
        pre: (request) => {
          // This timer does not keep the process alive.
          request.setSignal(AbortSignal.timeout(Math.ceil(timeoutMs)));
          return Promise.resolve(request);
        },
        post: (response) => Promise.resolve(response),
      },
    ],
  });
  return new (api(k8s))(configuration);
}

/** As the Kubernetes provider does it. */
function loadKubeConfig(config: client.KubeConfig, access: ClusterAccess): client.KubeConfig {
  if (access.kubeconfig === undefined || access.kubeconfig === "") {
    config.loadFromDefault();
  } else {
    const path = access.kubeconfig.startsWith("~/")
      ? join(homedir(), access.kubeconfig.slice(2))
      : access.kubeconfig;
    if (existsSync(path)) {
      config.loadFromFile(path);
    } else {
      config.loadFromString(access.kubeconfig);
    }
  }
  if (access.context !== undefined && access.context !== "") {
    config.setCurrentContext(access.context);
  }
  return config;
}
