import assert from "node:assert/strict";

import { cliCharts, helmCharts, mesh, type MeshOverrides } from "../support/presentMesh";
import { deployerOf } from "../../tools/adopt/owner";
import { type Plan, planAdoption } from "../../tools/adopt/plan";
import { describePresent } from "../../tools/adopt/report";
import { differing } from "../../tools/adopt/leaves";
import { testAnchor, testIssuer, type TestCertificate, testCertificate } from "../support/certificates";

const REPOSITORY = "https://helm.linkerd.io/edge";

describe("adopt", () => {
  let anchor: TestCertificate;
  let issuer: TestCertificate;

  before(async () => {
    anchor = await testAnchor();
    issuer = await testIssuer(anchor);
  });

  const plan = (overrides: MeshOverrides = {}, config = {}): Plan =>
    planAdoption(mesh({ anchors: [anchor], issuer, ...overrides }), { config, chartSource: REPOSITORY });
  const whats = (items: Plan["left"]): string[] => items.map(({ what }) => what);

  it("takes only values that differ from the chart's", () => {
    const own = { proxy: { logLevel: "warn", cores: 0 }, controllerReplicas: 1, list: [1, 2] };
    const given = { proxy: { logLevel: "debug", cores: 0 }, controllerReplicas: 1, list: [1, 2], more: {} };
    assert.deepEqual(differing(given, own), { proxy: { logLevel: "debug" }, more: {} });
  });

  it("writes values to the keys that set them, and the rest to the chart's", () => {
    const { keys, left, blocked } = plan({
      values: {
        identityTrustAnchorsPEM: "PEM",
        identity: { issuer: { tls: { crtPEM: "PEM", keyPEM: "KEY" }, issuanceLifetime: "48h0m0s" } },
        proxy: { opaquePorts: "25, 9000-9010", logLevel: "debug" },
        proxyInit: { iptablesMode: "legacy", ignoreInboundPorts: "4567,4568" },
        imagePullSecrets: [{ name: "registry" }],
        webhookFailurePolicy: "Fail",
        cniEnabled: true,
      },
    });
    assert.deepEqual(blocked, []);
    assert.deepEqual(left, []);
    const { issuanceLifetime, opaquePorts, proxyInit, imagePullSecrets, values } = keys;
    assert.deepEqual(
      { issuanceLifetime, opaquePorts, proxyInit, imagePullSecrets, values },
      {
        issuanceLifetime: "48h",
        opaquePorts: [25, "9000-9010"],
        proxyInit: { iptablesMode: "legacy", ignoreInboundPorts: [4567, 4568] },
        imagePullSecrets: ["registry"],
        values: { "linkerd-control-plane": { proxy: { logLevel: "debug" } } },
      },
    );
    assert.deepEqual([keys.webhookFailurePolicy, keys.cniEnabled], ["Fail", true]);
  });

  it("lists the names of values that it cannot carry over, and never the values", () => {
    const { left } = plan({
      values: {
        proxyInjector: { namespaceSelector: { matchLabels: { a: "b" } } },
        proxy: { env: null, additional: "s3cret" },
      },
    });
    assert.deepEqual(whats(left), [
      "value proxyInjector.namespaceSelector.matchLabels.a of linkerd-control-plane",
      "value proxy.env of linkerd-control-plane",
      "value proxy.additional of linkerd-control-plane",
    ]);
    assert(!JSON.stringify(left).includes("s3cret"));
  });

  it("takes high availability as a key, with what differs from it as values", () => {
    const { keys } = plan({
      values: { highAvailability: true, controllerReplicas: 5, enablePodAntiAffinity: true },
      effective: { enablePodDisruptionBudget: false },
    });
    assert.equal(keys.highAvailability, true);
    assert.deepEqual(keys.values, {
      "linkerd-control-plane": { controllerReplicas: 5, enablePodDisruptionBudget: false },
    });
  });

  it("provides the issuer, and gives its key apart from the other keys", () => {
    const { keys, issuerKey } = plan();
    assert.equal(keys.certificates, "provided");
    assert.equal(keys.issuerCertificate, issuer.certPem.trim());
    assert.equal(issuerKey, issuer.keyPem);
    const [, line = ""] = issuer.keyPem.split("\n");
    assert(!JSON.stringify(keys).includes(line));
    assert(
      !describePresent(mesh({ anchors: [anchor], issuer }))
        .join()
        .includes(line),
    );
  });

  it("leaves the key with cert-manager where that renews the issuer", () => {
    const renewedBy = {
      name: "linkerd-identity-issuer",
      issuerRef: { name: "linkerd-trust-anchor", kind: "ClusterIssuer" },
      duration: "48h0m0s",
      renewBefore: "25h0m0s",
    };
    const { keys, issuerKey, left } = plan({ renewedBy });
    assert.equal(issuerKey, undefined);
    assert.equal(keys.certificates, "cert-manager");
    assert.equal(keys.issuerCertificate, undefined);
    assert.deepEqual(keys.certManager, { install: false });
    assert.deepEqual(keys.rotatingIdentity, {
      duration: "48h",
      renewBefore: "25h",
      issuerRef: { name: "linkerd-trust-anchor", kind: "ClusterIssuer" },
    });
    assert.deepEqual(whats(left), ["cert-manager's Certificate linkerd-identity-issuer"]);
  });

  it("keeps the order of the bundle and the ids that the stack has, and leaves out what has expired", async () => {
    const [second, expired] = [await testAnchor(), await testCertificate("old", { days: [-20, -10] })];
    const config = { trustAnchors: [{ id: "2026", certificate: second.certPem }] };
    const { keys, left, blocked } = plan({ anchors: [expired, second, anchor] }, config);
    const ids = (keys.trustAnchors as { readonly id: string }[]).map(({ id }) => id);
    assert.equal(ids.length, 2);
    assert.equal(ids[0], "2026");
    assert.match(ids[1] ?? "", /^adopted-[0-9a-f]{8}$/);
    assert.deepEqual(whats(left), ["trust anchor CN=old"]);
    assert.deepEqual(blocked, []);
  });

  it("refuses an issuer that no anchor signed, another key, another release and a mesh of a stack", async () => {
    const other = await testAnchor();
    const reasons = (overrides: MeshOverrides): string => JSON.stringify(plan(overrides).blocked);
    assert.match(reasons({ anchors: [other] }), /the issuer identity\.linkerd\.cluster\.local/);
    assert.match(reasons({ issuer: { ...issuer, keyPem: other.keyPem } }), /the issuer's key/);
    assert.match(reasons({ linkerdVersion: "stable-2.14.10" }), /Linkerd stable-2\.14\.10/);
    assert.match(reasons({ release: "linkerd/mesh" }), /Helm cannot rename a release/);
    assert.match(reasons({ stack: "organization/linkerd-mtls/prod 12" }), /change the mesh with that stack/);
    assert.match(reasons({ anchors: [] }), /it has no valid trust anchor/);
  });

  it("takes injected namespaces as existing, and keeps the stack's own", () => {
    const config = { namespaces: [{ name: "shop", workloads: [] }] };
    const { keys } = plan(
      {
        namespaces: [
          { name: "shop", inject: "enabled", deployers: [] },
          { name: "bank", deployers: [] },
          { name: "edge", inject: "ingress", deployers: [] },
        ],
      },
      config,
    );
    assert.deepEqual(keys.namespaces, [
      { name: "shop", workloads: [] },
      { name: "bank", existing: true },
      { name: "edge", existing: true, inject: "ingress" },
    ]);
  });

  it("marks what the stack may take over, and keeps the CAs of webhooks that it signs for from then on", () => {
    const webhook = (service: string, namespace: string, ca: string, certificate?: string) => ({
      ...{ service, namespace, exists: true, owner: "somebody", cas: [ca] },
      ...(certificate !== undefined && { certificate }),
    });
    const webhooks = [
      webhook("linkerd-proxy-injector", "linkerd", "one"),
      webhook("linkerd-sp-validator", "linkerd", "one"),
      webhook("linkerd-policy-validator", "linkerd", "two", "linkerd-policy-validator"),
    ];
    assert.deepEqual(plan({ webhooks }).keys.adopt, {
      objects: [
        "Namespace linkerd",
        "HelmRelease linkerd/linkerd-crds",
        "HelmRelease linkerd/linkerd-control-plane",
        "Secret linkerd/linkerd-identity-issuer",
        "Certificate linkerd/linkerd-policy-validator",
        "Secret linkerd/linkerd-proxy-injector-k8s-tls",
        "Secret linkerd/linkerd-sp-validator-k8s-tls",
        "Secret linkerd/linkerd-policy-validator-k8s-tls",
      ],
      webhookCas: "one\ntwo",
    });
    const cli = plan({ charts: cliCharts({}) }).keys.adopt as { readonly objects: readonly string[] };
    assert.deepEqual(cli.objects.slice(0, 3), [
      "Namespace linkerd",
      "HelmRelease linkerd/linkerd-crds",
      "HelmRelease linkerd/linkerd-control-plane",
    ]);
  });

  it("takes viz with its values", () => {
    const { keys } = plan({
      charts: [
        ...helmCharts({}),
        {
          chart: "linkerd-viz",
          release: "linkerd-viz/linkerd-viz",
          values: { prometheusUrl: "http://prometheus.monitoring", tap: { caBundle: "PEM" } },
        },
      ],
    });
    assert.deepEqual(keys.viz, { enabled: true, prometheusUrl: "http://prometheus.monitoring" });
  });

  it("tells where else the issuer's key is, and what belongs to no release or to GitOps", () => {
    const key = "-----BEGIN EC PRIVATE KEY-----";
    const values = { identity: { issuer: { tls: { keyPEM: key } } } };
    const { left } = plan({
      charts: cliCharts(values),
      gitOps: ["Argo CD linkerd"],
      extensions: ["multicluster"],
    });
    assert.deepEqual(whats(left), [
      "the objects of `linkerd install`",
      "Argo CD linkerd deploys Linkerd",
      "a private key in Secret linkerd-config-overrides",
      "the extension multicluster",
    ]);
  });

  it("knows who deploys", () => {
    const tracking = { "argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/web" };
    assert.equal(deployerOf({ annotations: tracking }), "Argo CD shop");
    assert.equal(
      deployerOf({ labels: { "kustomize.toolkit.fluxcd.io/name": "apps" } }),
      "Flux (Kustomization) apps",
    );
    assert.equal(deployerOf({ managedFields: [{ manager: "kubectl" }] }), "written by kubectl");
  });
});
