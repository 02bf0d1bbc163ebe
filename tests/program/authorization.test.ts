import assert from "node:assert/strict";

import program from "../../index";
import { record, type Recording } from "../support/recorder";

const podSpec = { containers: [{ name: "app", image: "app:1" }] };
const from = { serviceAccounts: ["web/web"] };
const DENY = { defaultInboundPolicy: "deny" };
const VIZ = { enabled: true };

describe("authorization in the program", () => {
  const deploy = (values: Record<string, unknown>): Promise<Recording> =>
    record(program, {
      config: Object.fromEntries(
        Object.entries(values).map(([key, value]) => [
          `linkerd-mtls:${key}`,
          typeof value === "string" ? value : JSON.stringify(value),
        ]),
      ),
    });

  const workloads = [{ name: "users", podSpec }];
  const shop = (properties: object): Record<string, unknown> => ({
    namespaces: [{ name: "shop", ...properties }],
  });

  /** Names of the Servers. */
  const servers = async (values: Record<string, unknown>): Promise<string[]> =>
    (await deploy(values)).names().flatMap((name) => /:Server (.*)$/.exec(name)?.[1] ?? []);

  it("comes after Linkerd and before the workloads", async () => {
    const authorization = [{ workload: "users", port: 8080, from }];
    const recording = await deploy({ ...shop({ proxy: DENY, workloads, authorization }) });
    const deployment = recording.get("Deployment", "linkerd-shop/users-deployment");
    const gate = recording.get("RandomId", "linkerd-gate-opened");
    const namespace = recording.get("Namespace", "linkerd-shop-namespace");
    for (const [type, name] of [
      ["Server", "linkerd-shop/users-8080-server"],
      ["MeshTLSAuthentication", "linkerd-shop/users-8080-identities"],
      ["AuthorizationPolicy", "linkerd-shop/users-8080-identities-policy"],
    ] as const) {
      const object = recording.get(type, name);
      assert.ok(recording.isAfter(deployment, object), name);
      assert.ok(recording.isAfter(object, gate), name);
      assert.ok(recording.isAfter(object, namespace), name);
    }
  });

  it("asks for the Server of the installed release", async () => {
    const recording = await deploy({
      linkerdVersion: "edge-23.4.3",
      ...shop({ authorization: [{ port: 8080, from }] }),
    });
    assert.equal(
      recording.get("Server", "linkerd-shop/all-8080-server").inputs.apiVersion,
      "policy.linkerd.io/v1beta1",
    );
  });

  it("lets viz's Prometheus in where the default is to deny", async () => {
    const recording = await deploy({ viz: VIZ, ...shop({ proxy: DENY }) });
    assert.deepEqual(recording.get("Server", "linkerd-shop/all-4191-server").inputs.spec, {
      podSelector: {},
      port: 4191,
      proxyProtocol: "unknown",
    });
    assert.deepEqual(recording.get("MeshTLSAuthentication", "linkerd-shop/all-4191-identities").inputs.spec, {
      identityRefs: [{ kind: "ServiceAccount", namespace: "linkerd-viz", name: "prometheus" }],
    });
    const ofWorkload = shop({ workloads: [{ name: "users", proxy: DENY, podSpec }] });
    assert.deepEqual(await servers({ viz: VIZ, ...ofWorkload }), ["linkerd-shop/all-4191-server"]);
  });

  it("leaves the proxies' metrics to who reads them otherwise", async () => {
    assert.deepEqual(await servers({ viz: VIZ, ...shop({}) }), []);
    assert.deepEqual(await servers(shop({ proxy: DENY })), []);
    const elsewhere = { ...VIZ, prometheusUrl: "http://prometheus.monitoring:9090" };
    assert.deepEqual(await servers({ viz: elsewhere, ...shop({ proxy: DENY }) }), []);
    const own = [{ workload: "users", port: 4191, from }];
    assert.deepEqual(await servers({ viz: VIZ, ...shop({ proxy: DENY, authorization: own }) }), [
      "linkerd-shop/users-4191-server",
    ]);
  });
});
