import type { V1ObjectMeta, V1Pod } from "@kubernetes/client-node";

import { GUARD_NAMES, guarded, policySpec } from "../../components/injection/meshGuard";
import { SERVERS } from "../../components/controlPlane/webhookServers";
import type { GuardState, ServerState, Snapshot } from "../../tools/verify/snapshot";
import { testAnchor, type TestCertificate, testCertificate, testIssuer } from "./certificates";

/** Before the first pod. */
export const INSTALLED = new Date("2026-01-01T00:00:00Z");
/** When pods are created, unless told otherwise. */
const CREATED = new Date("2026-02-01T00:00:00Z");

/** The certificates of a mesh, made for one test run. */
export interface MeshCertificates {
  readonly anchor: TestCertificate;
  readonly issuer: TestCertificate;
  readonly webhookCa: TestCertificate;
  /** By Service. */
  readonly servers: Readonly<Record<string, TestCertificate>>;
}

export async function meshCertificates(): Promise<MeshCertificates> {
  const [anchor, webhookCa] = await Promise.all([testAnchor(), testCertificate("webhook-issuer.linkerd")]);
  const servers = SERVERS.map(async ({ service, namespace }) => {
    const name = `${service}.${namespace}.svc`;
    const certificate = await testCertificate(name, { signer: webhookCa, isCa: false, dnsNames: [name] });
    return [service, certificate] as const;
  });
  return {
    anchor,
    issuer: await testIssuer(anchor),
    webhookCa,
    servers: Object.fromEntries(await Promise.all(servers)),
  };
}

/** A healthy mesh with viz, the guard and three pods. */
export function healthySnapshot(certificates: MeshCertificates): Snapshot {
  const { anchor, issuer, webhookCa, servers } = certificates;
  const namespace = (name: string, inject?: string) => ({
    metadata: {
      name,
      labels: { "kubernetes.io/metadata.name": name },
      ...(inject && { annotations: { "linkerd.io/inject": inject } }),
    },
  });
  return {
    // A certificate that a test makes later is valid then.
    now: new Date(Date.now() + 60_000),
    namespaces: [namespace("shop", "enabled"), namespace("plain"), namespace("linkerd", "disabled")],
    pods: [meshedPod("web-1", anchor), meshedPod("web-2", anchor), pod("job", { namespace: "plain" })],
    mesh: {
      trustRoots: { data: { "ca-bundle.crt": anchor.certPem } },
      values: { identityTrustDomain: "cluster.local" },
      issuerPem: issuer.certPem,
    },
    servers: SERVERS.map((server) => ({
      ...server,
      live: {
        created: INSTALLED,
        caBundle: webhookCa.certPem,
        ...(server.kind !== "APIService" && { failurePolicy: "Ignore" }),
        namespaceSelector: {
          matchExpressions: [
            { key: "config.linkerd.io/admission-webhooks", operator: "NotIn", values: ["disabled"] },
            {
              key: "kubernetes.io/metadata.name",
              operator: "NotIn",
              values: ["kube-system", "cert-manager"],
            },
          ],
        },
        objectSelector: {
          matchExpressions: [{ key: "linkerd.io/control-plane-component", operator: "DoesNotExist" }],
        },
      },
      endpoints: 1,
      certificatePem: servers[server.service]?.certPem ?? "",
    })),
    guard: denyingGuard(),
    policies: {
      servers: [],
      authorizationpolicies: [],
      meshtlsauthentications: [],
      networkauthentications: [],
      serverauthorizations: [],
    },
    renewals: {},
    issuerEvents: [],
    withSecrets: true,
  };
}

/** As the API server has it, with its defaults. */
function denyingGuard(): GuardState {
  const [guard, warning, others] = GUARD_NAMES;
  const policy = (mode: "deny" | "warn"): GuardState["policies"][string] => {
    // The types of the two clients differ in what may be absent.
    const spec = structuredClone(policySpec(mode)) as GuardState["policies"][string];
    Object.assign(spec.matchConstraints ?? {}, { matchPolicy: "Equivalent" });
    return spec;
  };
  const binding = (
    policyName: string,
    action: string,
    where: object = {},
  ): GuardState["bindings"][string] => ({
    policyName,
    validationActions: [action],
    ...where,
  });
  return {
    policies: { [guard]: policy("deny"), [warning]: policy("warn") },
    bindings: {
      [guard]: binding(guard, "Deny", guarded("Exists")),
      [warning]: binding(warning, "Warn"),
      [others]: binding(guard, "Deny", guarded("DoesNotExist")),
    },
  };
}

/** Plain, unlike the class. */
type Metadata = Pick<V1ObjectMeta, keyof V1ObjectMeta>;

/** A pod of Deployment web, unless told otherwise. */
export function pod(name: string, metadata: Metadata = {}, spec: Partial<V1Pod["spec"]> = {}): V1Pod {
  return {
    metadata: {
      name,
      namespace: "shop",
      creationTimestamp: CREATED,
      labels: { "pod-template-hash": "5f6d" },
      ownerReferences: [
        { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web-5f6d", uid: "1", controller: true },
      ],
      ...metadata,
    },
    spec: { containers: [{ name: "main", image: "web:1" }], ...spec },
    status: { phase: "Running" },
  };
}

/** The same with a proxy that trusts the anchor. */
export function meshedPod(name: string, anchor: TestCertificate, trustDomain = "cluster.local"): V1Pod {
  const proxy = {
    name: "linkerd-proxy",
    env: [
      { name: "LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS", value: `${anchor.certPem}\n` },
      {
        name: "LINKERD2_PROXY_IDENTITY_LOCAL_NAME",
        value: `$(_pod_sa).$(_pod_ns).serviceaccount.identity.linkerd.${trustDomain}`,
      },
    ],
  };
  return pod(name, {}, { initContainers: [proxy] });
}

/** The snapshot with another state of one server. */
export function withServer(
  snapshot: Snapshot,
  service: string,
  change: (server: ServerState) => Partial<ServerState>,
): Snapshot {
  const servers = snapshot.servers.map((server) =>
    server.service === service ? { ...server, ...change(server) } : server,
  );
  return { ...snapshot, servers };
}
