import assert from "node:assert/strict";

import { PortAuthorization, PortAuthorizationArgs } from "../../components";
import { record } from "../support/recorder";

const POLICY = "policy.linkerd.io";

describe("PortAuthorization", () => {
  const create = (args: PortAuthorizationArgs) => record(() => new PortAuthorization("users", args));

  /** Everything that it makes in the cluster, by name. */
  const objects = async (args: PortAuthorizationArgs): Promise<Record<string, unknown>> => {
    const made = (await create(args)).resources.filter(({ custom }) => custom);
    return Object.fromEntries(made.map(({ name, inputs }) => [name, inputs]));
  };

  it("lets namespaces, service accounts and networks connect to a port", async () => {
    const metadata = (name: string) => ({ name, namespace: "shop" });
    const policy = (name: string, kind: string) => ({
      apiVersion: `${POLICY}/v1alpha1`,
      kind: "AuthorizationPolicy",
      metadata: metadata(name),
      spec: {
        targetRef: { group: POLICY, kind: "Server", name: "users-8080" },
        requiredAuthenticationRefs: [{ group: POLICY, kind, name: "users-8080" }],
      },
    });
    assert.deepEqual(
      await objects({
        namespace: "shop",
        workload: "users",
        port: 8080,
        protocol: "HTTP/2",
        clients: {
          namespaces: ["web", "batch"],
          serviceAccounts: ["ingress/nginx"],
          networks: ["10.0.0.0/8", "fd00::/8"],
        },
      }),
      {
        "users-server": {
          apiVersion: `${POLICY}/v1beta3`,
          kind: "Server",
          metadata: metadata("users-8080"),
          spec: {
            podSelector: { matchLabels: { "app.kubernetes.io/name": "users" } },
            port: 8080,
            proxyProtocol: "HTTP/2",
          },
        },
        "users-identities": {
          apiVersion: `${POLICY}/v1alpha1`,
          kind: "MeshTLSAuthentication",
          metadata: metadata("users-8080"),
          spec: {
            identityRefs: [
              { kind: "Namespace", name: "web" },
              { kind: "Namespace", name: "batch" },
              { kind: "ServiceAccount", namespace: "ingress", name: "nginx" },
            ],
          },
        },
        "users-identities-policy": policy("users-8080-identities", "MeshTLSAuthentication"),
        "users-networks": {
          apiVersion: `${POLICY}/v1alpha1`,
          kind: "NetworkAuthentication",
          metadata: metadata("users-8080"),
          spec: { networks: [{ cidr: "10.0.0.0/8" }, { cidr: "fd00::/8" }] },
        },
        "users-networks-policy": policy("users-8080-networks", "NetworkAuthentication"),
      },
    );
  });

  it("is of all pods, by a port's name and with its protocol detected, where nothing else is said", async () => {
    const args: PortAuthorizationArgs = { namespace: "shop", port: "http", clients: { namespaces: ["web"] } };
    const recording = await create(args);
    assert.deepEqual(recording.get("Server", "users-server").inputs, {
      apiVersion: `${POLICY}/v1beta3`,
      kind: "Server",
      metadata: { name: "all-http", namespace: "shop" },
      spec: { podSelector: {}, port: "http", proxyProtocol: "unknown" },
    });
    assert.deepEqual(Object.keys(await objects(args)).sort(), [
      "users-identities",
      "users-identities-policy",
      "users-server",
    ]);
  });

  it("asks an older release for its version of Server, which stays the same object when Linkerd is upgraded", async () => {
    const type = (version: string) => `kubernetes:${POLICY}/${version}:Server`;
    for (const [linkerdVersion, version, other] of [
      ["edge-23.4.3", "v1beta1", "v1beta3"],
      ["edge-24.11.8", "v1beta1", "v1beta3"],
      ["edge-25.1.1", "v1beta3", "v1beta1"],
    ] as const) {
      const recording = await create({
        namespace: "shop",
        port: 80,
        clients: { namespaces: ["web"] },
        mesh: { linkerdVersion },
      });
      const server = recording.get("Server", "users-server");
      assert.equal(server.type, type(version));
      assert.deepEqual(server.formerTypes, [type(other)]);
    }
  });

  describe("refuses", () => {
    const right = { namespace: "shop", port: 80, clients: { namespaces: ["web"] } };
    const port = "must be a container's port, 1 to 65535, or its name";
    const network = "must be a network in CIDR notation";
    const lists = "namespaces, serviceAccounts, networks";
    const wrong: [
      title: string,
      args: Partial<PortAuthorizationArgs>,
      propertyPath: string,
      reason: string,
    ][] = [
      ["a port out of range", { port: 65536 }, "port", `${port}, but is 65536`],
      ["a port that is no name", { port: "HTTP" }, "port", `${port}, but is "HTTP"`],
      [
        "no clients",
        { clients: { networks: [] } },
        "clients",
        `must name at least one client in ${lists}, but is {"networks":[]}`,
      ],
      [
        "a namespace that is none",
        { clients: { namespaces: ["a", "B"] } },
        "clients.namespaces[1]",
        'must be the name of a namespace, but is "B"',
      ],
      [
        "a bare service account",
        { clients: { serviceAccounts: ["web"] } },
        "clients.serviceAccounts[0]",
        'must be <namespace>/<service account>, but is "web"',
      ],
      [
        "an address",
        { clients: { networks: ["10.0.0.1"] } },
        "clients.networks[0]",
        `${network}, but is "10.0.0.1"`,
      ],
      [
        "a prefix that is too long",
        { clients: { networks: ["::/0", "10.0.0.0/33"] } },
        "clients.networks[1]",
        `${network}, but is "10.0.0.0/33"`,
      ],
    ];
    for (const [title, args, propertyPath, reason] of wrong) {
      it(title, async () => {
        await assert.rejects(create({ ...right, ...args }), { errors: [{ propertyPath, reason }] });
      });
    }
  });
});
