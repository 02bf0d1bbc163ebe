import type { KubernetesObject } from "@kubernetes/client-node";

import { ClusterAccess, connect } from "./client";

/** Whom the API server asks, and by which CAs it trusts it. */
export interface ClientConfig {
  /** Base64 of PEMs. */
  caBundle?: string;
  readonly service?: { readonly name?: string; readonly namespace?: string };
}

/** A webhook configuration or an API service. */
export interface Registration {
  readonly object: KubernetesObject;
  /** Parts of the object, which can be changed in place. */
  readonly clients: readonly ClientConfig[];
  /** Writes the object as it is now. */
  readonly write: () => Promise<unknown>;
}

/** Reads whom the API server asks: every webhook configuration and API service. */
export async function readWebhookClients(cluster: ClusterAccess, timeoutMs: number): Promise<Registration[]> {
  const [admission, aggregation] = await Promise.all([
    connect(cluster, (k8s) => k8s.AdmissionregistrationV1Api, timeoutMs),
    connect(cluster, (k8s) => k8s.ApiregistrationV1Api, timeoutMs),
  ]);
  const [mutating, validating, apis] = await Promise.all([
    admission.listMutatingWebhookConfiguration(),
    admission.listValidatingWebhookConfiguration(),
    aggregation.listAPIService(),
  ]);
  const named = <B extends KubernetesObject>(body: B) => ({ name: body.metadata?.name ?? "", body });
  return [
    ...mutating.items.map((object) => ({
      object,
      clients: (object.webhooks ?? []).map(({ clientConfig }) => clientConfig),
      write: () => admission.replaceMutatingWebhookConfiguration(named(object)),
    })),
    ...validating.items.map((object) => ({
      object,
      clients: (object.webhooks ?? []).map(({ clientConfig }) => clientConfig),
      write: () => admission.replaceValidatingWebhookConfiguration(named(object)),
    })),
    ...apis.items.map((object) => ({
      object,
      clients: object.spec === undefined ? [] : [object.spec],
      write: () => aggregation.replaceAPIService(named(object)),
    })),
  ];
}
