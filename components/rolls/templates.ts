import type { KubernetesObject, KubernetesObjectApi } from "@kubernetes/client-node";

import { Owner } from "../cluster/podOwner";
import { restartPods } from "../cluster/restartPods";

/** Kinds of the group apps that replace their pods when their template changes. */
const TEMPLATED = ["Deployment", "StatefulSet", "DaemonSet"];

/** A workload that recreates its pods when its template changes. */
export interface Template {
  /** How far its roll-out is; undefined where it is over. */
  readonly rolling?: string;
  /** Why no change would roll it. */
  readonly blocked?: string;
  /** Changes the template, as `kubectl rollout restart` does. */
  readonly restart: () => Promise<void>;
}

/** A Deployment, a StatefulSet or a DaemonSet, as far as it matters here. */
interface Workload extends KubernetesObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly paused?: boolean;
    readonly updateStrategy?: {
      readonly type?: string;
      readonly rollingUpdate?: { readonly partition?: number };
    };
  };
  readonly status?: Readonly<Record<string, number | undefined>>;
}

/**
 * Reads the template of a workload. Undefined where its pods are to be evicted: it is of another kind, does not replace
 * pods by itself (`OnDelete`), or belongs to an operator, which would undo a change.
 */
export async function readTemplate(
  objects: KubernetesObjectApi,
  owner: Owner,
): Promise<Template | undefined> {
  const { kind, namespace, name } = owner;
  if (!TEMPLATED.includes(kind)) {
    return undefined;
  }
  const object = { apiVersion: "apps/v1", kind, metadata: { namespace, name } };
  const workload = await objects.read<Workload>(object);
  const { metadata, spec = {} } = workload;
  const isOwned = (metadata?.ownerReferences ?? []).some(({ controller }) => controller === true);
  if (isOwned || spec.updateStrategy?.type === "OnDelete") {
    return undefined;
  }
  return {
    rolling: rollingState(workload),
    ...(spec.paused === true && {
      blocked: `it is paused: kubectl -n ${namespace} rollout resume deployment/${name}`,
    }),
    restart: () => restartPods(objects, owner),
  };
}

/** As `kubectl rollout status` has it. */
function rollingState({ kind = "", metadata, spec = {}, status = {} }: Workload): string | undefined {
  const { observedGeneration = 0 } = status;
  if (observedGeneration < (metadata?.generation ?? 0)) {
    return "its controller has not seen the change yet";
  }
  const daemon = kind === "DaemonSet";
  const wanted = (daemon ? status.desiredNumberScheduled : spec.replicas) ?? (daemon ? 0 : 1);
  const updated = (daemon ? status.updatedNumberScheduled : status.updatedReplicas) ?? 0;
  const available = (daemon ? status.numberAvailable : status.availableReplicas) ?? 0;
  const all = (daemon ? status.currentNumberScheduled : status.replicas) ?? 0;
  const kept = spec.updateStrategy?.rollingUpdate?.partition ?? 0;
  const isOver = updated >= wanted - kept && available >= wanted && all === wanted;
  return isOver ? undefined : `${updated} of ${wanted} pods are new, ${available} available`;
}
