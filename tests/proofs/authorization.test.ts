import assert from "node:assert/strict";

import { CoreV1Api, CustomObjectsApi, type V1ObjectMeta } from "@kubernetes/client-node";

import { configuration, succeed } from "../support/command";
import { useSandbox } from "../support/testSandbox";

const GROUP = "policy.linkerd.io";

/** The kinds of policies, and the version of each that the sandbox's release has. */
const KINDS = {
  servers: "v1beta1",
  authorizationpolicies: "v1alpha1",
  meshtlsauthentications: "v1alpha1",
  networkauthentications: "v1alpha1",
} as const;

interface PolicyObject {
  readonly metadata: V1ObjectMeta;
  readonly spec: object;
}

describe("authorization", () => {
  const sandbox = useSandbox("test-authorization");

  const podSpec = { containers: [{ name: "main", image: "registry.k8s.io/pause:3.10" }] };
  const authorization = [
    { workload: "users", port: 8080, from: { namespaces: ["web"], networks: ["10.0.0.0/8"] } },
    { port: 3306, from: { serviceAccounts: ["batch/report"] } },
  ];
  const arguments_ = (items: readonly object[]): string[] => [
    "--name",
    sandbox.name,
    ...configuration({
      sampleApplications: [],
      namespaces: [
        {
          name: "shop",
          proxy: { defaultInboundPolicy: "deny" },
          workloads: [{ name: "users", podSpec }],
          authorization: items,
        },
      ],
    }),
  ];

  /** The policies of the namespace, by kind and name. */
  async function policies(): Promise<Record<string, object>> {
    const api = sandbox.client(CustomObjectsApi);
    const found: Record<string, object> = {};
    for (const [plural, version] of Object.entries(KINDS)) {
      const where = { group: GROUP, version, plural, namespace: "shop" };
      const { items } = (await api.listNamespacedCustomObject(where)) as { items: PolicyObject[] };
      for (const { metadata, spec } of items) found[`${plural} ${metadata.name ?? ""}`] = spec;
    }
    return found;
  }

  const policy = (server: string, kind: string) => ({
    targetRef: { group: GROUP, kind: "Server", name: server },
    requiredAuthenticationRefs: [{ group: GROUP, kind, name: server }],
  });
  const DATABASE = {
    "servers all-3306": { podSelector: {}, port: 3306, proxyProtocol: "opaque" },
    "meshtlsauthentications all-3306": {
      identityRefs: [{ kind: "ServiceAccount", namespace: "batch", name: "report" }],
    },
    "authorizationpolicies all-3306-identities": policy("all-3306", "MeshTLSAuthentication"),
  };

  it("is accepted by Linkerd's custom resource definitions, before the first pod exists", async () => {
    await succeed("up", ...arguments_(authorization));
    assert.deepEqual(await policies(), {
      ...DATABASE,
      "servers users-8080": {
        podSelector: { matchLabels: { "app.kubernetes.io/name": "users" } },
        port: 8080,
        proxyProtocol: "unknown",
      },
      "meshtlsauthentications users-8080": { identityRefs: [{ kind: "Namespace", name: "web" }] },
      "networkauthentications users-8080": { networks: [{ cidr: "10.0.0.0/8" }] },
      "authorizationpolicies users-8080-identities": policy("users-8080", "MeshTLSAuthentication"),
      "authorizationpolicies users-8080-networks": policy("users-8080", "NetworkAuthentication"),
    });
    const [pod] = (await sandbox.client(CoreV1Api).listNamespacedPod({ namespace: "shop" })).items;
    assert.equal(pod?.metadata?.annotations?.["linkerd.io/inject"], "enabled");
    const environment = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]
      .filter(({ name }) => name === "linkerd-proxy")
      .flatMap(({ env = [] }) => env);
    assert.equal(
      environment.find(({ name }) => name === "LINKERD2_PROXY_INBOUND_DEFAULT_POLICY")?.value,
      "deny",
    );
  });

  it("changes nothing when it is deployed again, and is removed with its item", async () => {
    assert.match(await succeed("up", ...arguments_(authorization)), /Resources:\s+\d+ unchanged\s/);
    await succeed("up", ...arguments_(authorization.slice(1)));
    assert.deepEqual(await policies(), DATABASE);
  });
});
