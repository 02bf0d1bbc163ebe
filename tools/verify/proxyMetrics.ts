import type { CoreV1Api, V1Pod } from "@kubernetes/client-node";

import { type ClusterAccess, connect, describeError } from "../../components/cluster/client";
import { adminPortOf, isLive, proxyOf } from "../../components/cluster/meshedPods";

/** Connections that a proxy opened without TLS to a pod. */
export interface Plaintext {
  /** Namespace and name of the other pod. */
  readonly to: string;
  readonly port: string;
  /** Why, in the proxy's words, e.g. `not_provided_by_service_discovery`. */
  readonly reason: string;
  /** How many; a proxy forgets them ten minutes after the last one was closed. */
  readonly opened: number;
  /** How many of them are open now. */
  readonly open: number;
}

/** What a proxy tells about the connections that it opened. */
export interface ProxyTraffic {
  readonly pod: V1Pod;
  /** Why it does not tell, where it does not. */
  readonly unknown?: string;
  readonly plaintext: readonly Plaintext[];
}

/** Proxies that are asked at once: the API server fetches each answer, and limits a user's requests in flight. */
const AT_ONCE = 32;

/** How long one proxy may take, in milliseconds. */
const TIMEOUT_MS = 5_000;

/** Asks every proxy that is ready for its metrics, through the API server. */
export async function readTraffic(access: ClusterAccess, pods: readonly V1Pod[]): Promise<ProxyTraffic[]> {
  const core = await connect(access, (k8s) => k8s.CoreV1Api, TIMEOUT_MS);
  const waiting = pods.filter((pod) => isLive(pod) && isProxyReady(pod));
  const answers: ProxyTraffic[] = [];
  const worker = async (): Promise<void> => {
    for (let pod = waiting.shift(); pod !== undefined; pod = waiting.shift()) {
      answers.push(await ask(core, pod));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return answers;
}

/** One that is not has opened no connection for its pod. */
function isProxyReady(pod: V1Pod): boolean {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const proxy = proxyOf(pod)?.name;
  return [...initContainerStatuses, ...containerStatuses].some(
    ({ name, ready, started }) => name === proxy && (ready || started === true),
  );
}

async function ask(core: CoreV1Api, pod: V1Pod): Promise<ProxyTraffic> {
  const { namespace = "", name = "" } = pod.metadata ?? {};
  const proxy = proxyOf(pod);
  if (proxy === undefined) return { pod, plaintext: [] };
  try {
    const text = await core.connectGetNamespacedPodProxyWithPath({
      namespace,
      name: `${name}:${adminPortOf(proxy)}`,
      path: "metrics",
    });
    return { pod, plaintext: plaintextIn(text) };
  } catch (error) {
    const { status, message } = describeError(error);
    const reason = status === undefined ? message : `${message.split("\n", 1)[0] ?? ""} (HTTP ${status})`;
    // The names of pods differ in it, and it is to be told once for an owner.
    return { pod, unknown: reason.replaceAll(name, "NAME"), plaintext: [] };
  }
}

const SERIES = /^(tcp_open_total|tcp_open_connections)\{([^\n]*)\} (\S+)/gm;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** Within a pod there is no TLS (linkerd2-proxy, linkerd/tls/src/client.rs). */
const LOOPBACK = "loopback";

/**
 * Reads the connections without TLS to pods out of a proxy's metrics: by the labels `tls` and `no_tls_reason` of the end to
 * which it connects (linkerd2-proxy, linkerd/app/core/src/transport/labels.rs, linkerd/transport-metrics/src/lib.rs).
 */
export function plaintextIn(metrics: string): Plaintext[] {
  const found = new Map<string, { to: string; port: string; reason: string; opened: number; open: number }>();
  for (const [, metric, text = "", value] of metrics.matchAll(SERIES)) {
    if (!text.includes('direction="outbound"') || text.includes('tls="true"')) continue;
    const labels = Object.fromEntries(
      [...text.matchAll(LABEL)].map(([, name = "", each = ""]) => [name, each]),
    );
    const { peer, tls = "", no_tls_reason: reason = tls, dst_pod: pod, dst_namespace: namespace } = labels;
    if (peer !== "dst" || pod === undefined || namespace === undefined || reason === LOOPBACK) continue;
    const [to, port] = [`${namespace}/${pod}`, labels.target_port ?? "?"];
    const key = `${to} ${port} ${reason}`;
    const entry = found.get(key) ?? { to, port, reason, opened: 0, open: 0 };
    found.set(key, entry);
    entry[metric === "tcp_open_total" ? "opened" : "open"] += Number(value);
  }
  return [...found.values()].filter(({ opened, open }) => opened + open > 0);
}
