import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";

import { readRunningTrust } from "../../components/controlPlane/runningTrust";
import { type DeployedTrust, outageToken, type PlannedTrust } from "../../components/pki/deployedTrust";
import { refuseBeforePods } from "../../components/pki/podTrust";
import type { MeshedPod, RunningTrust } from "../../components/pki/runningTrust";
import { ApiServer, status } from "../support/apiServer";
import { testAnchor, type TestCertificate, testIssuer } from "../support/certificates";

const at = (time: string): Date => new Date(`2026-01-02T${time}:00Z`);

describe("a change of trust with running pods", () => {
  let old: TestCertificate;
  let next: TestCertificate;
  let issuers: Record<"old" | "next", TestCertificate>;

  before(async () => {
    [old, next] = [await testAnchor(), await testAnchor()];
    issuers = { old: await testIssuer(old), next: await testIssuer(next) };
  });

  const pod = (owner: string, created: Date, ...anchors: readonly TestCertificate[]): MeshedPod => ({
    owner,
    created,
    rolledBy: "others",
    anchors: new Set(anchors.map(({ certPem }) => new X509Certificate(certPem).fingerprint256)),
  });

  interface Change {
    readonly issuer: "old" | "next";
    readonly running: Partial<RunningTrust>;
    /** The anchors that are configured; the last one signs. */
    readonly to: readonly TestCertificate[];
    readonly acceptOutage?: (deployed: DeployedTrust, planned: PlannedTrust) => string;
    readonly now?: Date;
  }

  /** How often the pods were read. */
  async function change({ issuer, running, to, acceptOutage, now = at("12:00") }: Change): Promise<number> {
    let reads = 0;
    const deployed: DeployedTrust = {
      trustDomain: "cluster.local",
      anchors: [old, next].map(({ certPem }) => new X509Certificate(certPem)),
      issuer: [new X509Certificate(issuers[issuer].certPem)],
      readRunning: () => {
        reads++;
        return Promise.resolve({ pods: [], lifetimeSeconds: 86_400, ...running });
      },
    };
    const planned: PlannedTrust = {
      trustDomain: "cluster.local",
      trustAnchors: to.map((_, index) => ({ id: `a${index}` })),
      signingAnchor: `a${to.length - 1}`,
    };
    const anchors = to.map(({ certPem }) => ({ pem: certPem }));
    await refuseBeforePods(
      deployed,
      { ...planned, acceptOutage: acceptOutage?.(deployed, planned) },
      { anchors },
      now,
    );
    return reads;
  }

  it("does not read the pods where neither the signer changes nor an anchor is removed", async () => {
    const stale = { pods: [pod("Deployment shop/web", at("10:00"), old)] };
    assert.equal(await change({ issuer: "old", running: stale, to: [next, old] }), 0);
    assert.equal(await change({ issuer: "next", running: stale, to: [old, next] }), 0);
  });

  it("must not switch the signer before every pod has its anchor", async () => {
    const ready = [
      pod("Deployment shop/web", at("10:00"), old, next),
      { ...pod("x", at("10:00")), anchors: undefined },
    ];
    const switched = { issuer: "old", to: [old, next] } as const;
    assert.equal(await change({ ...switched, running: { pods: ready } }), 1);
    const stale = [
      pod("StatefulSet db/mysql", at("10:00"), old),
      pod("Deployment api/api", at("10:00"), old),
      pod("Deployment api/api", at("10:00"), old),
      pod("CronJob api/report", at("10:00"), old),
    ];
    const running = { pods: [...ready, ...stale] };
    await assert.rejects(change({ ...switched, running }), ({ message }: Error) => {
      assert.ok(
        message.startsWith(
          [
            "This change of linkerd-mtls:trustAnchors or the issuer must wait until running pods are ready for it:",
            "  4 pods created without the new trust anchor would refuse each new certificate. Restart them:",
            "    # CronJob api/report: let it end, or have its owner recreate it    # 1 pod",
            "    kubectl -n api rollout restart deployment/api    # 2 pods",
            "    kubectl -n db rollout restart statefulset/mysql    # 1 pod",
            'For this change with an outage, see docs/operations.md, "Replacing all trust at once":',
            "    pulumi config set linkerd-mtls:acceptOutage ",
          ].join("\n"),
        ),
        message,
      );
      return true;
    });
    assert.equal(await change({ ...switched, running, acceptOutage: outageToken }), 0);
  });

  describe("that removes the old anchor", () => {
    const removed = { issuer: "next", to: [] as TestCertificate[] } as const;
    const drop = (running: Partial<RunningTrust>, now?: Date): Promise<number> =>
      change({ ...removed, to: [next], running, now });
    const since = { signedSince: at("11:00"), issuerUpdated: at("11:01") };

    it("waits for pods that are older than the issuer, until their certificates have expired", async () => {
      const running = { ...since, pods: [pod("Deployment shop/web", at("11:00"), old, next)] };
      await assert.rejects(
        drop(running),
        /\n {2}1 pod created before the issuer changed may have certificates of the anchor that is removed\. Restart them, or wait until 2026-01-03T11:02:00\.000Z:\n {4}kubectl -n shop rollout restart deployment\/web {4}# 1 pod\n/,
      );
      await drop({ ...since, pods: [pod("Deployment shop/web", at("11:02"), old, next)] });
      await drop(running, new Date("2026-01-03T11:02:00Z"));
      await drop({ ...running, lifetimeSeconds: 600 });
      // Since when is not known: cert-manager's issuer is one of others.
      await drop({ ...running, signedSince: undefined });
    });

    it("waits until identity uses the new issuer", async () => {
      const identity = pod("Deployment linkerd/linkerd-identity", at("10:00"), old, next);
      const restarted = pod("Deployment shop/web", at("11:01"), old, next);
      const running = { signedSince: at("11:00"), pods: [identity, restarted], lifetimeSeconds: 60 };
      const WAIT =
        /1 pod of identity may not use the new issuer yet \(no event IssuerUpdated\)\. .* wait until 2026-01-02T11:02/;
      await assert.rejects(drop(running, at("11:01")), WAIT);
      await assert.rejects(drop({ ...running, issuerUpdated: at("10:30") }, at("11:01")), WAIT);
      await drop({ ...running, issuerUpdated: at("11:00") }, at("11:02"));
      await drop(running, at("11:02"));
      const started = pod("Deployment linkerd/linkerd-identity", at("11:00"), old, next);
      await drop({ ...running, pods: [started] }, at("11:01"));
    });
  });
});

describe("what meshed pods trust", () => {
  const server = new ApiServer();
  const PODS = "GET /api/v1/pods?labelSelector=linkerd.io%2Fcontrol-plane-ns&limit=500";
  const SECRETS = "GET /api/v1/namespaces/linkerd/secrets?fieldSelector=type%3Dkubernetes.io%2Ftls";
  const EVENTS = "GET /api/v1/namespaces/linkerd/events?fieldSelector=reason%3DIssuerUpdated";

  before(() => server.listen());
  after(() => {
    server.close();
  });

  const read = () => readRunningTrust({ kubeconfig: server.kubeconfig() }, 600);
  const secret = (name: string, time: string, annotations = {}) => ({
    metadata: {
      name,
      annotations,
      managedFields: [
        { manager: "a", time: `2026-01-02T${time}:00Z`, fieldsV1: { "f:data": {} } },
        { manager: "b", time: "2026-01-03T00:00:00Z", fieldsV1: { "f:metadata": {} } },
      ],
    },
  });
  const list = (...items: object[]) => ({ body: { metadata: {}, items } });

  it("is read from their proxies, page by page", async () => {
    const { certPem } = await testAnchor();
    const env = [{ name: "LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS", value: `${certPem}\n` }];
    const proxy = { name: "linkerd-proxy", env };
    const metadata = {
      namespace: "shop",
      name: "web-1-a",
      creationTimestamp: "2026-01-02T10:00:00Z",
      labels: { "pod-template-hash": "1" },
      ownerReferences: [{ controller: true, kind: "ReplicaSet", name: "web-1" }],
    };
    server.answers = {
      [PODS]: {
        body: {
          metadata: { continue: "next" },
          items: [
            { metadata, spec: { initContainers: [proxy], containers: [] } },
            {
              metadata: { ...metadata, deletionTimestamp: "2026-01-02T10:00:00Z" },
              spec: { containers: [proxy] },
            },
            { metadata, spec: { containers: [proxy] }, status: { phase: "Succeeded" } },
            { metadata, spec: { containers: [] } },
          ],
        },
      },
      [PODS.replace("?", "?continue=next&")]: list({
        metadata: { namespace: "linkerd", name: "bare", creationTimestamp: "2026-01-02T11:00:00Z" },
        spec: { containers: [{ name: "linkerd-proxy" }] },
      }),
      [SECRETS]: list(secret("linkerd-identity-issuer", "09:00")),
      [EVENTS]: list({ lastTimestamp: "2026-01-02T09:01:00Z" }, { lastTimestamp: "2026-01-02T08:00:00Z" }),
    };
    assert.deepEqual(await read(), {
      pods: [
        {
          owner: "Deployment shop/web",
          created: at("10:00"),
          rolledBy: "others",
          anchors: new Set([new X509Certificate(certPem).fingerprint256]),
        },
        { owner: "Pod linkerd/bare", created: at("11:00"), rolledBy: "others" },
      ],
      lifetimeSeconds: 600,
      signedSince: at("09:00"),
      issuerUpdated: at("09:01"),
    });
  });

  it("is of the anchor that cert-manager has, which renews the issuer itself", async () => {
    const renewed = secret("linkerd-identity-issuer", "11:00", { "cert-manager.io/certificate-name": "x" });
    server.answers = {
      [PODS]: list(),
      [SECRETS]: list(renewed, secret("linkerd-trust-anchor", "08:00")),
      [EVENTS]: list(),
    };
    assert.deepEqual((await read()).signedSince, at("08:00"));
    server.answers[SECRETS] = list(renewed);
    assert.equal((await read()).signedSince, undefined);
  });

  it("must be readable", async () => {
    server.answers = { [PODS]: status(403, "pods is forbidden"), [SECRETS]: list(), [EVENTS]: list() };
    await assert.rejects(read(), {
      message:
        "it cannot be read whether running pods trust the new issuer: pods is forbidden\n" +
        "    the deploying user must be allowed to list pods of all namespaces and, in namespace linkerd, secrets and events",
    });
  });
});
