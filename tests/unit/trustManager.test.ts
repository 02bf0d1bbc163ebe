import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";

import {
  LinkerdControlPlane,
  TrustManager,
  type TrustManagerArgs,
  TrustManagerBundle,
} from "../../components";
import { namespaceMark, STACK } from "../support/mark";
import { testAnchor } from "../support/certificates";
import { type Answer, ApiServer, status } from "../support/apiServer";
import { eventually } from "../support/eventually";
import { record, type Recording } from "../support/recorder";

describe("TrustManager", () => {
  const deploy = (args: Partial<TrustManagerArgs> = {}): Promise<Recording> =>
    record(() => new TrustManager("tm", { cluster: {}, ...args }));

  it("is an awaited release in a namespace that Linkerd's webhooks leave alone", async () => {
    const recording = await deploy();
    assert.deepEqual(recording.get("Namespace", "tm-namespace").inputs.metadata, {
      name: "trust-manager",
      labels: { "config.linkerd.io/admission-webhooks": "disabled" },
      annotations: namespaceMark("tm-namespace"),
    });
    assert.deepEqual(recording.get("Release", "tm-release").inputs, {
      compat: "true",
      chart: "trust-manager",
      version: "v0.25.0",
      repositoryOpts: { repo: "https://charts.jetstack.io" },
      name: "trust-manager",
      namespace: "trust-manager",
      createNamespace: false,
      description: `deployed by stack ${STACK}`,
      timeout: 600,
      disableOpenapiValidation: true,
      maxHistory: 10,
      values: {
        crds: { enabled: true, keep: false },
        defaultPackage: { enabled: false },
        app: { trust: { namespace: "trust-manager" } },
        replicaCount: 1,
      },
    });
  });

  it("is not in a namespace of Kubernetes's, which would be deleted with it", async () => {
    const refusal = {
      propertyPath: "namespace",
      reason: 'must be another namespace (Kubernetes makes it), but is "kube-system"',
    };
    await assert.rejects(deploy({ namespace: "kube-system" }), { errors: [refusal] });
  });

  it("is highly available", async () => {
    const recording = await deploy({ namespace: "trust", highAvailability: true });
    assert.deepEqual(recording.get("Release", "tm-release").inputs.values, {
      crds: { enabled: true, keep: false },
      defaultPackage: { enabled: false },
      app: { trust: { namespace: "trust" } },
      replicaCount: 2,
      podDisruptionBudget: { enabled: true },
    });
  });
});

describe("TrustManagerBundle", () => {
  it("writes every anchor into the ConfigMap that Linkerd mounts, and waits until it is written", async () => {
    const [first, second] = [(await testAnchor()).certPem.trim(), (await testAnchor()).certPem.trim()];
    const certPems = [first, `${second}\n\n`];
    const recording = await record(() => new TrustManagerBundle("roots", { certPems, cluster: {} }));
    const bundle = recording.get("Bundle", "roots-bundle");
    assert.deepEqual(bundle.inputs, {
      apiVersion: "trust.cert-manager.io/v1alpha1",
      kind: "Bundle",
      metadata: {
        name: "linkerd-identity-trust-roots",
        labels: { "app.kubernetes.io/managed-by": "linkerd-mtls" },
      },
      spec: {
        sources: [{ inLine: `${first}\n` }, { inLine: `${second}\n` }],
        target: {
          configMap: {
            key: "ca-bundle.crt",
            metadata: { annotations: { "helm.sh/resource-policy": "keep" } },
          },
          namespaceSelector: { matchLabels: { "linkerd.io/is-control-plane": "true" } },
        },
      },
    });
    assert.deepEqual(bundle.hooks, { beforeCreate: ["roots-accepted"], beforeUpdate: ["roots-accepted"] });
    const gate = recording.get("RandomId", "roots-synced");
    const { objects } = gate.inputs.keepers as { objects: string };
    assert.deepEqual(JSON.parse(objects), [
      { apiVersion: "trust.cert-manager.io/v1alpha1", kind: "Bundle", name: "linkerd-identity-trust-roots" },
    ]);
    assert.deepEqual(gate.hooks, { beforeCreate: ["roots-synced"], beforeUpdate: [] });
    assert.ok(recording.isAfter(gate, bundle));
  });
});

describe("TrustManagerBundle's trust bundle", () => {
  it("is the same whatever the order of the anchors is", async () => {
    const anchors = await Promise.all([testAnchor(), testAnchor(), testAnchor()]);
    const byFingerprint = anchors
      .map(({ certPem }) => `${certPem.trim()}\n`)
      .sort((a, b) =>
        Buffer.compare(
          Buffer.from(new X509Certificate(a).fingerprint256.replaceAll(":", ""), "hex"),
          Buffer.from(new X509Certificate(b).fingerprint256.replaceAll(":", ""), "hex"),
        ),
      )
      .join("");
    for (const given of [anchors, anchors.toReversed()]) {
      const { outputs } = await record(() => {
        const certPems = given.map(({ certPem }) => certPem);
        return { bundle: new TrustManagerBundle("roots", { certPems, cluster: {} }).trustBundlePem };
      });
      assert.deepEqual(outputs, { bundle: byFingerprint });
    }
  });
});

describe("the ConfigMap of the trust bundle", () => {
  const server = new ApiServer();
  const BUNDLE = "/apis/trust.cert-manager.io/v1alpha1/bundles/linkerd-identity-trust-roots";
  const GET = `GET ${BUNDLE}`;
  const DELETE = `DELETE ${BUNDLE}?propagationPolicy=Foreground`;
  const CONFIG_MAP = "GET /api/v1/namespaces/linkerd/configmaps/linkerd-identity-trust-roots";
  const CREATE = "POST /api/v1/namespaces/linkerd/configmaps";
  const GONE = status(404, "not found");
  const ownedBy = (...kinds: string[]): Answer => ({
    body: {
      metadata: { ownerReferences: kinds.map((kind) => ({ kind, name: "linkerd-identity-trust-roots" })) },
      data: { "ca-bundle.crt": "bundle" },
    },
  });
  const OWN: Answer = { body: { metadata: { labels: { "app.kubernetes.io/managed-by": "linkerd-mtls" } } } };

  before(() => server.listen());
  beforeEach(() => {
    server.answers = {};
    server.requests = [];
  });
  after(() => {
    server.close();
  });

  const deploy = (externalTrustRoots?: boolean): Promise<Recording> =>
    record(() => {
      new LinkerdControlPlane("plane", {
        namespace: "linkerd",
        trustBundlePem: "bundle",
        trustDomain: "cluster.local",
        webhookTrust: {
          "linkerd-proxy-injector": { caBundle: "ca" },
          "linkerd-sp-validator": { caBundle: "ca" },
          "linkerd-policy-validator": { caBundle: "ca" },
        },
        externalTrustRoots,
        cluster: { kubeconfig: server.kubeconfig() },
      });
    });

  /** What the chart's release asks of the cluster before it is created or updated, where it had a Bundle before or not. */
  async function handBack(usedBundle: boolean): Promise<string[]> {
    const hook = (await deploy()).hooks.get("plane-trust-roots");
    assert.ok(hook);
    const newInputs = { name: "linkerd-control-plane", namespace: "linkerd", values: {} };
    const oldInputs = usedBundle ? { ...newInputs, values: { identity: { externalCA: true } } } : undefined;
    await hook.callback({ urn: "", id: "", name: "", type: "", newInputs, oldInputs });
    return server.requests.map(({ line }) => line);
  }

  it("is made by others where the chart is told so, and its pods still roll with the bundle", async () => {
    const release = (await deploy(true)).get("Release", "plane-release");
    const { identity, identityTrustAnchorsPEM } = release.inputs.values as Record<string, unknown>;
    assert.deepEqual(
      { identity, identityTrustAnchorsPEM },
      {
        identity: { externalCA: true, issuer: { scheme: "kubernetes.io/tls", issuanceLifetime: "24h0m0s" } },
        identityTrustAnchorsPEM: "bundle",
      },
    );
    assert.deepEqual(release.hooks, {
      beforeCreate: ["plane-release-records"],
      beforeUpdate: ["plane-release-records"],
    });
  });

  it("is looked after before the chart makes it", async () => {
    const hooks = ["plane-release-records", "plane-trust-roots"];
    assert.deepEqual((await deploy()).get("Release", "plane-release").hooks, {
      beforeCreate: hooks,
      beforeUpdate: hooks,
    });
  });

  it("is the chart's without a question for Bundles, which a user may not be allowed to read, where there was none", async () => {
    server.answers = { [CONFIG_MAP]: GONE };
    assert.deepEqual(await handBack(false), [CONFIG_MAP]);
    server.answers = { [CONFIG_MAP]: ownedBy() };
    assert.deepEqual(await handBack(false), [CONFIG_MAP, CONFIG_MAP]);
  });

  it("is left to Helm where the Bundle is gone, or one of others", async () => {
    server.answers = { [CONFIG_MAP]: ownedBy("Bundle"), [GET]: { status: 404, body: "404 page not found" } };
    assert.deepEqual(await handBack(true), [CONFIG_MAP, GET]);
    server.answers = { [CONFIG_MAP]: ownedBy("Bundle"), [GET]: { body: { metadata: { labels: {} } } } };
    assert.deepEqual(await handBack(false), [CONFIG_MAP, GET, CONFIG_MAP, GET]);
  });

  it("goes with its Bundle, and is made again as the release's", async () => {
    server.answers = {
      [GET]: OWN,
      [DELETE]: { body: {} },
      [CONFIG_MAP]: ownedBy("Bundle"),
      [CREATE]: { body: {} },
    };
    const handedBack = handBack(true);
    await eventually("it is looked for", 10, () => server.requests.length >= 4);
    server.answers[CONFIG_MAP] = GONE;
    const requests = await handedBack;
    assert.deepEqual(requests.slice(0, 3), [CONFIG_MAP, GET, DELETE]);
    assert.deepEqual(requests.slice(-5), [CONFIG_MAP, CONFIG_MAP, CONFIG_MAP, CONFIG_MAP, CREATE]);
    const made: unknown = JSON.parse(server.requests.at(-1)?.body ?? "");
    assert.deepEqual(made, {
      metadata: {
        name: "linkerd-identity-trust-roots",
        labels: { "app.kubernetes.io/managed-by": "Helm" },
        annotations: {
          "meta.helm.sh/release-name": "linkerd-control-plane",
          "meta.helm.sh/release-namespace": "linkerd",
        },
      },
      data: { "ca-bundle.crt": "bundle" },
    });
  });

  it("is not replaced where the Bundle cannot be deleted", async () => {
    server.answers = {
      [CONFIG_MAP]: ownedBy("Bundle"),
      [GET]: OWN,
      [DELETE]: status(403, "bundles is forbidden"),
    };
    await assert.rejects(handBack(true), {
      message:
        "Bundle linkerd-identity-trust-roots, which the chart replaces, cannot be deleted: bundles is forbidden\n" +
        "  the deploying user must be allowed to get and delete bundles of trust.cert-manager.io",
    });
  });
});
