import assert from "node:assert/strict";

import type { PolicyObjects } from "../../tools/verify/policyObjects";
import type { Check } from "../../tools/verify/model";
import type { Snapshot } from "../../tools/verify/snapshot";
import { checkAuthorization } from "../../tools/verify/authorization";
import { healthySnapshot, meshCertificates, pod } from "../support/verifySnapshot";

const PORTS = [{ name: "main", image: "web:1", ports: [{ name: "http", containerPort: 8080 }] }];

describe("verify of policies", () => {
  let healthy: Snapshot;
  before(async () => {
    healthy = healthySnapshot(await meshCertificates());
  });

  const metadata = (name: string, labels: Readonly<Record<string, string>> = {}) => ({
    name,
    namespace: "shop",
    labels,
  });
  const web = { podSelector: { matchLabels: { app: "web" } } };
  const server = (name: string, spec: Partial<PolicyObjects["servers"][number]["spec"]> = {}) => ({
    metadata: metadata(name, { tier: "front" }),
    spec: { ...web, port: "http", ...spec },
  });
  const checks = (policies: Partial<PolicyObjects>, more: Partial<Snapshot> = {}): readonly Check[] => {
    const pods = [...healthy.pods, pod("web-9", { labels: { app: "web" } }, { containers: PORTS })];
    const none = healthy.policies;
    assert(none);
    return checkAuthorization({ ...healthy, pods, policies: { ...none, ...policies }, ...more }).checks;
  };
  const found = (policies: Partial<PolicyObjects>): readonly string[] =>
    checks(policies).flatMap((check) => {
      assert(check.result === "ok" || (check.result === "warning" && check.hint === "policies"));
      return check.found ?? [];
    });

  it("finds Servers that select no pod, or no pod with their port", () => {
    assert.deepEqual(
      found({
        servers: [
          server("good"),
          server("by-number", { port: 9090 }),
          server("outside", { podSelector: undefined }),
          server("renamed", { podSelector: { matchLabels: { app: "wbe" } } }),
          server("unnamed", { port: "grpc" }),
          {
            ...server("prometheus", { podSelector: {} }),
            metadata: {
              name: "prometheus",
              namespace: "linkerd-viz",
              labels: { "linkerd.io/extension": "viz" },
            },
          },
          { ...server("elsewhere"), metadata: { name: "elsewhere", namespace: "plain" } },
        ],
      }),
      [
        "Server shop/renamed selects no pod",
        "Server shop/unnamed: none of its 1 pods has a port with the name grpc",
        "Server plain/elsewhere selects no pod",
      ],
    );
  });

  it("finds authorizations of Servers that are not there, by name or labels", () => {
    const client = { unauthenticated: true };
    const authorization = (name: string, of: object) => ({
      metadata: metadata(name),
      spec: { server: of, client },
    });
    assert.deepEqual(
      found({
        servers: [server("good")],
        serverauthorizations: [
          authorization("by-name", { name: "good" }),
          authorization("by-labels", { selector: { matchLabels: { tier: "front" } } }),
          authorization("lost", { name: "bad" }),
          authorization("nothing", { selector: { matchLabels: { tier: "back" } } }),
        ],
      }),
      [
        "ServerAuthorization shop/lost selects no Server",
        "ServerAuthorization shop/nothing selects no Server",
      ],
    );
  });

  it("finds policies of targets and of clients that are not there", () => {
    const policy = (name: string, kind: string, target: string, ...clients: string[]) => ({
      metadata: metadata(name),
      spec: {
        targetRef: { kind, name: target },
        requiredAuthenticationRefs: clients.map((client) => ({
          kind: "MeshTLSAuthentication",
          name: client,
        })),
      },
    });
    assert.deepEqual(
      found({
        servers: [server("good")],
        meshtlsauthentications: [{ metadata: metadata("friends"), spec: {} }],
        authorizationpolicies: [
          policy("a", "Server", "good", "friends"),
          policy("b", "Namespace", "shop"),
          policy("c", "HTTPRoute", "not-read"),
          policy("d", "Server", "bad", "friends"),
          policy("e", "Namespace", "plain-2"),
          policy("f", "Server", "good", "strangers"),
        ],
      }),
      [
        "AuthorizationPolicy shop/d refers to Server bad, which is not there",
        "AuthorizationPolicy shop/e refers to Namespace plain-2, which is not there",
        "AuthorizationPolicy shop/f refers to MeshTLSAuthentication strangers, which is not there",
      ],
    );
  });

  it("names the namespaces that let in clients without TLS, which is no finding", () => {
    const proxy = (value: string) => ({
      containers: [
        { name: "linkerd-proxy", env: [{ name: "LINKERD2_PROXY_INBOUND_DEFAULT_POLICY", value }] },
      ],
    });
    const open = (namespace: string, value: string) => pod("p", { namespace }, proxy(value));
    const note = (...pods: Snapshot["pods"]) => checks({}, { pods }).at(-1);
    assert.deepEqual(
      note(open("b", "all-unauthenticated"), open("a", "cluster-unauthenticated"), open("c", "deny")),
      {
        check: "inbound policies of the pods",
        result: "ok",
        note: "clients without TLS are let in by default in a, b",
      },
    );
    assert.match(note(open("c", "all-authenticated"))?.note ?? "", /^none lets in/);
    const many = Array.from({ length: 7 }, (_, index) => open(`n${index}`, "audit"));
    assert.match(note(...many)?.note ?? "", /n0, n1, n2, n3, n4 and 2 more$/);
  });

  it("checks nothing that must not be read", () => {
    assert.equal(checks({}, { policies: undefined })[0]?.result, "skipped");
  });
});
