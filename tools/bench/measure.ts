import type { V1Deployment, V1Pod, V1ReplicaSet } from "@kubernetes/client-node";
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { NAMESPACE_PREFIX } from "./applications";
import type { Cluster } from "./cluster";
import type { Row } from "./rows";

const PROXY = "linkerd-proxy";

/** The counts of a row. */
export type Creations = Pick<Row, "podsCreated" | "podsEverUnmeshed" | "denials">;
export type FinalState = Pick<Row, "podsUnmeshedAtEnd" | "podsReadyAtEnd" | "restarts">;

/** A line of the API server's audit log, as far as it matters here. */
interface AuditEvent {
  readonly requestURI: string;
  readonly objectRef: { readonly namespace: string; readonly subresource?: string };
  readonly responseStatus: { readonly code: number };
  readonly responseObject?: V1Pod;
}

function isMeshed({ spec }: V1Pod): boolean {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].some(({ name }) => name === PROXY);
}

/**
 * Counts every attempt to create an application's pod.
 *
 * @param logs Folder of the API server's audit log, which has exactly the creations of pods and is rotated when large.
 */
export async function podCreations(logs: string): Promise<Creations> {
  const counts = { podsCreated: 0, podsEverUnmeshed: 0, denials: 0 };
  const files = (await readdir(logs)).filter((file) => /^audit.*\.log$/.test(file));
  for (const file of files) {
    for await (const line of createInterface({ input: createReadStream(join(logs, file)) })) {
      const event = JSON.parse(line) as AuditEvent;
      const { namespace, subresource } = event.objectRef;
      if (!namespace.startsWith(NAMESPACE_PREFIX) || subresource !== undefined) continue;
      if (event.requestURI.includes("dryRun=")) continue;
      if (event.responseStatus.code !== 201) counts.denials++;
      else {
        counts.podsCreated++;
        if (event.responseObject === undefined || !isMeshed(event.responseObject)) counts.podsEverUnmeshed++;
      }
    }
  }
  return counts;
}

/** All requests that the API server has answered, from its own metrics. */
export async function apiRequests({ kubectl }: Pick<Cluster, "kubectl">): Promise<number> {
  return sumOf("apiserver_request_total", await kubectl("get", "--raw=/metrics"));
}

/** The sum of a counter over all its labels, in the text format of Prometheus. */
export function sumOf(counter: string, metrics: string): number {
  return metrics
    .split("\n")
    .filter((line) => line.startsWith(`${counter}{`))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

type Workload = V1Deployment | V1Pod | V1ReplicaSet;

/** What the applications have come to. */
export async function finalState({ kubectl }: Pick<Cluster, "kubectl">): Promise<FinalState> {
  const json = await kubectl("get", "deployments,replicasets,pods", "--all-namespaces", "--output=json");
  const { items } = JSON.parse(json) as { items: Workload[] };
  return stateOf(items);
}

/** The same, of objects of all namespaces. */
export function stateOf(objects: readonly Workload[]): FinalState {
  const mine = objects.filter(({ metadata }) => metadata?.namespace?.startsWith(NAMESPACE_PREFIX));
  const count = (kind: string) => mine.filter((object) => object.kind === kind).length;
  const pods = mine
    .filter((object): object is V1Pod => object.kind === "Pod")
    .filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
  return {
    podsUnmeshedAtEnd: pods.filter((pod) => !isMeshed(pod)).length,
    podsReadyAtEnd: pods.filter(isReady).length,
    restarts: count("ReplicaSet") - count("Deployment"),
  };
}

function isReady({ status }: V1Pod): boolean {
  return (
    status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") ??
    false
  );
}
