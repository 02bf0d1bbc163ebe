import { type ClusterAccess, connect } from "../../components/cluster/client";

/** PEM of the CAs by which the API server trusts a Service; empty where it does not ask it. */
export type CasOf = (namespace: string, service: string) => string;

/** Whom the API server asks, and by which CAs it trusts it. */
interface ClientConfig {
  readonly caBundle?: string;
  readonly service?: { readonly name?: string; readonly namespace?: string };
}

/** Reads by which CAs the API server trusts webhooks and API services. */
export async function readWebhookCas(access: ClusterAccess, timeoutMs: number): Promise<CasOf> {
  const [admission, aggregation] = await Promise.all([
    connect(access, (k8s) => k8s.AdmissionregistrationV1Api, timeoutMs),
    connect(access, (k8s) => k8s.ApiregistrationV1Api, timeoutMs),
  ]);
  const [mutating, validating, apis] = await Promise.all([
    admission.listMutatingWebhookConfiguration(),
    admission.listValidatingWebhookConfiguration(),
    aggregation.listAPIService(),
  ]);
  const clients: readonly ClientConfig[] = [
    ...[...mutating.items, ...validating.items].flatMap(({ webhooks = [] }) =>
      webhooks.map(({ clientConfig }) => clientConfig),
    ),
    ...apis.items.flatMap(({ spec }) => spec ?? []),
  ];
  return (namespace, name) =>
    clients
      .filter(({ service }) => service?.namespace === namespace && service.name === name)
      .map(({ caBundle = "" }) => Buffer.from(caBundle, "base64").toString())
      .join("\n");
}
