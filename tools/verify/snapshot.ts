import type * as client from "@kubernetes/client-node";

import { type ClusterAccess, connect } from "../../components/cluster/client";
import { type MeshObjects, readMeshObjects, unlessAbsent } from "../../components/controlPlane/deployedMesh";
import { type IssuerInUse, readIssuerInUse } from "../../components/controlPlane/issuerInUse";
import { LINKERD_NAMESPACE } from "../../components/controlPlane/linkerdNamespace";
import { secretOf, type Server, SERVERS } from "../../components/controlPlane/webhookServers";
import { GUARD_NAMES } from "../../components/injection/meshGuard";
import { type LinkedCluster, readLinkedClusters } from "./linkedClusters";
import { type PolicyObjects, readPolicies } from "./policyObjects";
import { type ProxyTraffic, readTraffic } from "./proxyMetrics";
import { readCertificates, type Renewals } from "./renewals";

/** How the API server calls a server, and what it would find. */
export interface ServerState extends Server {
  /** What its object says; undefined where there is none. */
  readonly live?: {
    readonly created?: Date;
    readonly caBundle: string;
    /** Of a webhook. */
    readonly failurePolicy?: string;
    readonly namespaceSelector?: client.V1LabelSelector;
    readonly objectSelector?: client.V1LabelSelector;
    /** Why an APIService is not available. */
    readonly unavailable?: string;
  };
  /** Endpoints of its Service that are ready. */
  readonly endpoints: number;
  /** Certificates of its Secret; undefined where Secrets are not read, empty where it is absent. */
  readonly certificatePem?: string;
}

/** The policies of the guard and their bindings, by name. */
export interface GuardState {
  readonly policies: Readonly<Record<string, client.V1ValidatingAdmissionPolicySpec>>;
  readonly bindings: Readonly<Record<string, client.V1ValidatingAdmissionPolicyBindingSpec>>;
}

/** All that is read of a cluster. */
export interface Snapshot {
  readonly now: Date;
  readonly namespaces: readonly client.V1Namespace[];
  readonly pods: readonly client.V1Pod[];
  readonly mesh: MeshObjects;
  readonly servers: readonly ServerState[];
  readonly guard: GuardState;
  /** What the proxies tell about their connections; undefined where they were not asked. */
  readonly traffic?: readonly ProxyTraffic[];
  /** What the other ends of Links trust; undefined where they were not asked. */
  readonly linked?: readonly LinkedCluster[];
  /** Linkerd's policies; undefined where the user must not read them. */
  readonly policies?: PolicyObjects;
  /** When cert-manager renews the certificate of a Secret, by namespace and name. */
  readonly renewals: Renewals;
  /** Events of identity about its issuer. */
  readonly issuerEvents: readonly client.CoreV1Event[];
  /** Which issuer identity uses; undefined where there is none, or Secrets are not read. */
  readonly issuerInUse?: IssuerInUse;
  /** Whether Secrets were read. */
  readonly withSecrets: boolean;
}

/** What to read. */
export interface ReadOptions {
  /** Whether the certificates in Secrets are read, with which an API server always hands out the keys. */
  readonly withSecrets: boolean;
  /** Whether each proxy is asked about its connections. */
  readonly withTraffic?: boolean;
  /** Whether the clusters of Links are asked. */
  readonly withLinks?: boolean;
  /** How long to wait for each answer, in milliseconds. */
  readonly timeoutMs: number;
}

/** Pods in one answer; a large cluster has more than an API server likes to give at once. */
const PAGE = 500;

/**
 * Reads everything that is checked. It asks for nothing that the Roles in docs/verify.md do not allow.
 *
 * @throws what the client throws, where there is no answer or a permission is missing.
 */
export async function readSnapshot(access: ClusterAccess, options: ReadOptions): Promise<Snapshot> {
  const { withSecrets, withTraffic = false, withLinks = false, timeoutMs } = options;
  const [core, admission, apis, discovery] = await Promise.all([
    connect(access, (k8s) => k8s.CoreV1Api, timeoutMs),
    connect(access, (k8s) => k8s.AdmissionregistrationV1Api, timeoutMs),
    connect(access, (k8s) => k8s.ApiregistrationV1Api, timeoutMs),
    connect(access, (k8s) => k8s.DiscoveryV1Api, timeoutMs),
  ]);
  const { items: namespaces } = await core.listNamespace();
  const isThere = (namespace: string): boolean =>
    namespaces.some(({ metadata }) => metadata?.name === namespace);
  const servers = SERVERS.filter(({ namespace, isRequired }) => isRequired || isThere(namespace));

  const [pods, mesh, states, guard, policies, renewals, issuerEvents, issuerInUse] = await Promise.all([
    readPods(core),
    readMeshObjects(core, withSecrets),
    Promise.all(
      servers.map(async (server) => ({
        ...server,
        live: await readServer(server, admission, apis),
        endpoints: await readEndpoints(server, discovery),
        ...(withSecrets && { certificatePem: await readCertificate(server, core) }),
      })),
    ),
    readGuard(admission),
    readPolicies(access, timeoutMs),
    withSecrets
      ? readCertificates(access, [...new Set(servers.map(({ namespace }) => namespace))], timeoutMs)
      : {},
    core.listNamespacedEvent({ namespace: LINKERD_NAMESPACE }),
    withSecrets ? unlessAbsent(readIssuerInUse(access, timeoutMs, { asksMetrics: true })) : undefined,
  ]);
  return {
    now: new Date(),
    namespaces,
    pods,
    mesh,
    servers: states,
    guard,
    policies,
    renewals,
    issuerEvents: issuerEvents.items.filter(({ reason = "" }) => reason.startsWith("IssuerUpdate")),
    ...(issuerInUse && { issuerInUse }),
    withSecrets,
    ...(withLinks && { linked: await readLinkedClusters(access, timeoutMs) }),
    ...(withTraffic && { traffic: await readTraffic(access, pods) }),
  };
}

async function readPods(core: client.CoreV1Api): Promise<client.V1Pod[]> {
  const pods: client.V1Pod[] = [];
  let _continue: string | undefined;
  do {
    const { items, metadata } = await core.listPodForAllNamespaces({ limit: PAGE, _continue });
    pods.push(...items);
    _continue = metadata?._continue;
  } while (_continue !== undefined && _continue !== "");
  return pods;
}

async function readServer(
  { kind, name }: Server,
  admission: client.AdmissionregistrationV1Api,
  apis: client.ApiregistrationV1Api,
): Promise<ServerState["live"]> {
  if (kind === "APIService") {
    const service = await unlessAbsent(apis.readAPIService({ name }));
    const available = service?.status?.conditions?.find(({ type }) => type === "Available");
    return (
      service && {
        created: service.metadata?.creationTimestamp,
        caBundle: decode(service.spec?.caBundle),
        ...(available?.status !== "True" && {
          unavailable: available?.message ?? "the API server has not said yet whether it is available",
        }),
      }
    );
  }
  const configuration = await unlessAbsent<
    client.V1MutatingWebhookConfiguration | client.V1ValidatingWebhookConfiguration
  >(
    kind === "MutatingWebhookConfiguration"
      ? admission.readMutatingWebhookConfiguration({ name })
      : admission.readValidatingWebhookConfiguration({ name }),
  );
  const [webhook] = configuration?.webhooks ?? [];
  return (
    webhook && {
      created: configuration?.metadata?.creationTimestamp,
      caBundle: decode(webhook.clientConfig.caBundle),
      failurePolicy: webhook.failurePolicy,
      namespaceSelector: webhook.namespaceSelector,
      objectSelector: webhook.objectSelector,
    }
  );
}

async function readEndpoints(
  { namespace, service }: Server,
  discovery: client.DiscoveryV1Api,
): Promise<number> {
  const labelSelector = `kubernetes.io/service-name=${service}`;
  const { items } = await discovery.listNamespacedEndpointSlice({ namespace, labelSelector });
  // An absent condition means ready; a slice without endpoints has null.
  return items
    .flatMap((slice) => (slice.endpoints as client.V1Endpoint[] | null) ?? [])
    .filter(({ conditions }) => conditions?.ready !== false).length;
}

/** The certificates of a Secret alone: nothing else of it is kept. */
async function readCertificate(server: Server, core: client.CoreV1Api): Promise<string> {
  const where = { namespace: server.namespace, name: secretOf(server) };
  return decode((await unlessAbsent(core.readNamespacedSecret(where)))?.data?.["tls.crt"]);
}

async function readGuard(admission: client.AdmissionregistrationV1Api): Promise<GuardState> {
  const [policies, bindings] = await Promise.all([
    Promise.all(GUARD_NAMES.map((name) => unlessAbsent(admission.readValidatingAdmissionPolicy({ name })))),
    Promise.all(
      GUARD_NAMES.map((name) => unlessAbsent(admission.readValidatingAdmissionPolicyBinding({ name }))),
    ),
  ]);
  return { policies: specs(policies), bindings: specs(bindings) };
}

/** What objects say by their names; those that are not there are left out. */
function specs<T>(
  objects: readonly ({ readonly metadata?: client.V1ObjectMeta; readonly spec?: T } | undefined)[],
): Record<string, T> {
  return Object.fromEntries(
    objects.flatMap((object) =>
      object?.metadata?.name === undefined || object.spec === undefined
        ? []
        : [[object.metadata.name, object.spec] as const],
    ),
  );
}

function decode(base64 = ""): string {
  return Buffer.from(base64, "base64").toString();
}
