import type { ClusterAccess } from "../../components/cluster/client";
import { readWebhookClients } from "../../components/cluster/webhookClients";

/** PEM of the CAs by which the API server trusts a Service; empty where it does not ask it. */
export type CasOf = (namespace: string, service: string) => string;

/** Reads by which CAs the API server trusts webhooks and API services. */
export async function readWebhookCas(access: ClusterAccess, timeoutMs: number): Promise<CasOf> {
  const registrations = await readWebhookClients(access, timeoutMs);
  const clients = registrations.flatMap((each) => each.clients);
  return (namespace, name) =>
    clients
      .filter(({ service }) => service?.namespace === namespace && service.name === name)
      .map(({ caBundle = "" }) => Buffer.from(caBundle, "base64").toString())
      .join("\n");
}
