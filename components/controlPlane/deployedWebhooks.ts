import type { AdmissionregistrationV1Api, ApiregistrationV1Api, CoreV1Api } from "@kubernetes/client-node";
import * as pulumi from "@pulumi/pulumi";

import { ClusterAccess, connect, describeError } from "../cluster/client";
import { liveCertificates } from "../pki/deployedTrust";
import { DeployedWebhook } from "../pki/webhookChange";
import { unlessAbsent } from "./deployedMesh";
import { VIZ_NAMESPACE } from "./linkerdNamespace";
import { written } from "./runningTrust";
import { secretOf, Server, SERVERS } from "./webhookServers";

/** How long to wait for each answer. */
const TIMEOUT_MS = 10_000;

interface Clients {
  readonly core: CoreV1Api;
  readonly admission: AdmissionregistrationV1Api;
  readonly apis: ApiregistrationV1Api;
}

/**
 * Reads the CAs that the API server trusts for Linkerd's webhooks and tap, and the certificates in their Secrets. `withViz`:
 * whether viz's are read too.
 *
 * @throws RunError where there is no answer, or the deploying user must not read it.
 */
export async function readDeployedWebhooks(
  cluster: ClusterAccess,
  withViz = true,
): Promise<DeployedWebhook[]> {
  try {
    const [core, admission, apis] = await Promise.all([
      connect(cluster, ({ CoreV1Api }) => CoreV1Api, TIMEOUT_MS),
      connect(cluster, ({ AdmissionregistrationV1Api }) => AdmissionregistrationV1Api, TIMEOUT_MS),
      connect(cluster, ({ ApiregistrationV1Api }) => ApiregistrationV1Api, TIMEOUT_MS),
    ]);
    const servers = SERVERS.filter(({ namespace }) => withViz || namespace !== VIZ_NAMESPACE);
    return await Promise.all(servers.map((server) => readWebhook(server, { core, admission, apis })));
  } catch (error) {
    throw new pulumi.RunError(
      `it cannot be read which CAs the API server has for webhooks: ${describeError(error).message}\n` +
        "    the deploying user must be allowed to get mutatingwebhookconfigurations, validatingwebhookconfigurations " +
        "and, in namespace linkerd, secrets; with viz also apiservices and, in namespace linkerd-viz, secrets",
    );
  }
}

async function readWebhook(server: Server, clients: Clients): Promise<DeployedWebhook> {
  const { namespace, service } = server;
  const [caBundle, secret] = await Promise.all([
    unlessAbsent(readCaBundle(server, clients)),
    unlessAbsent(clients.core.readNamespacedSecret({ name: secretOf(server), namespace })),
  ]);
  return {
    namespace,
    service,
    cas: liveCertificates(decode(caBundle)),
    serving: liveCertificates(decode(secret?.data?.["tls.crt"]))[0],
    written: written(secret),
  };
}

async function readCaBundle(
  { kind, name }: Server,
  { admission, apis }: Clients,
): Promise<string | undefined> {
  if (kind === "APIService") {
    return (await apis.readAPIService({ name })).spec?.caBundle;
  }
  const { webhooks = [] } =
    kind === "MutatingWebhookConfiguration"
      ? await admission.readMutatingWebhookConfiguration({ name })
      : await admission.readValidatingWebhookConfiguration({ name });
  return webhooks[0]?.clientConfig.caBundle;
}

function decode(base64 = ""): string {
  return Buffer.from(base64, "base64").toString();
}
