import assert from "node:assert/strict";

import { VIZ_RULES } from "../../components/extensions/vizChartRules";
import { vizValues } from "../../components/extensions/vizValues";
import { sha256 } from "../../components/certificates/pem";
import { InjectionGate, LinkerdViz, type LinkerdVizArgs, type Mesh, MeshGuard } from "../../components";
import { namespaceMark, STACK } from "../support/mark";
import { unknownValues } from "../support/chartValues";
import { record, type Recording } from "../support/recorder";

const BUNDLE = "bundle";
/** First 16 hex digits of the SHA-256 of the bundle. */
const BUNDLE_HASH = "1e6ed65d77d6364e";

/** Viz on a mesh with a gate and a guard. */
function deploy(settings: Partial<LinkerdVizArgs> = {}, more: Partial<Mesh> = {}): Promise<Recording> {
  return record(() => {
    const gate = new InjectionGate("gate", { controlPlane: {}, cluster: {} });
    const guard = new MeshGuard("guard", { cluster: {} });
    const viz = new LinkerdViz("viz", {
      trustDomain: "example.org",
      linkerdNamespace: "linkerd",
      mesh: { cluster: {}, trustBundlePem: BUNDLE, guard, ...more, gate },
      cluster: {},
      ...settings,
    });
    return {
      namespace: viz.namespace,
      chartVersion: viz.chartVersion,
      certPems: viz.certPems,
      tap: viz.gate.tap,
    };
  });
}

function ca(recording: Recording): string {
  return recording.pems.get("viz-webhooks-ca-certificate") ?? "";
}

const valuesOf = (recording: Recording): Record<string, unknown> =>
  recording.get("Release", "viz-release").inputs.values as Record<string, unknown>;

describe("LinkerdViz", () => {
  it("has a namespace with the metadata that Linkerd looks for", async () => {
    const recording = await deploy();
    assert.deepEqual(recording.get("Namespace", "viz-namespace").inputs, {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: {
        name: "linkerd-viz",
        labels: {
          "linkerd.io/extension": "viz",
          "pod-security.kubernetes.io/enforce": "privileged",
          "linkerd-mtls/guarded": "true",
        },
        annotations: namespaceMark("viz-namespace"),
      },
    });
  });

  it("needs no privileges with the CNI plugin", async () => {
    const { metadata } = (await deploy({}, { cniEnabled: true })).get("Namespace", "viz-namespace").inputs;
    assert.deepEqual((metadata as { labels: unknown }).labels, {
      "linkerd.io/extension": "viz",
      "pod-security.kubernetes.io/enforce": "restricted",
      "linkerd-mtls/guarded": "true",
    });
  });

  it("is an awaited release whose values hold no key", async () => {
    const recording = await deploy();
    const release = recording.get("Release", "viz-release");
    const { values, ...inputs } = release.inputs;
    assert.deepEqual(inputs, {
      compat: "true",
      chart: "linkerd-viz",
      version: "2026.6.3",
      repositoryOpts: { repo: "https://helm.linkerd.io/edge" },
      name: "linkerd-viz",
      namespace: "linkerd-viz",
      createNamespace: false,
      description: `deployed by stack ${STACK}`,
      timeout: 600,
      disableOpenapiValidation: true,
      maxHistory: 10,
    });
    assert.deepEqual(values, {
      linkerdNamespace: "linkerd",
      identityTrustDomain: "example.org",
      createNamespaceMetadataJob: false,
      podLabels: { "linkerd-mtls/trust-bundle": BUNDLE_HASH },
      tap: { externalSecret: true, caBundle: ca(recording), replicas: 1 },
      tapInjector: { externalSecret: true, caBundle: ca(recording) },
      dashboard: { enforcedHostRegexp: "" },
      prometheusUrl: "",
      prometheus: { enabled: true },
      enablePodAntiAffinity: false,
      enablePodDisruptionBudget: false,
    });
    assert.deepEqual(release.secretInputs, []);
  });

  it("takes its chart from where it is told", async () => {
    const { inputs } = (await deploy({ charts: { source: "./charts" } })).get("Release", "viz-release");
    assert.equal(inputs.chart, "./charts/linkerd-viz");
  });

  it("opens the dashboard to the hosts that are given", async () => {
    assert.deepEqual(valuesOf(await deploy({ enforcedHostRegexp: ".*" })).dashboard, {
      enforcedHostRegexp: ".*",
    });
  });

  it("uses another Prometheus instead of its own, and says so where Linkerd looks", async () => {
    const prometheusUrl = "http://prometheus.monitoring:9090";
    const recording = await deploy({ prometheusUrl, highAvailability: true });
    const values = valuesOf(recording);
    assert.equal(values.prometheusUrl, prometheusUrl);
    assert.deepEqual(values.prometheus, { enabled: false });
    const { metadata } = recording.get("Namespace", "viz-namespace").inputs;
    assert.deepEqual((metadata as { annotations: unknown }).annotations, {
      "viz.linkerd.io/external-prometheus": prometheusUrl,
      ...namespaceMark("viz-namespace"),
    });
  });

  it("refuses a Prometheus without a scheme, which its client could not reach", async () => {
    await assert.rejects(deploy({ prometheusUrl: "prometheus:9090" }), {
      errors: [
        {
          propertyPath: "prometheusUrl",
          reason: 'must be a URL that begins with http:// or https://, but is "prometheus:9090"',
        },
      ],
    });
  });

  it("is highly available as the chart means it", async () => {
    const resources = { cpu: { request: "100m" }, memory: { request: "50Mi", limit: "250Mi" } };
    const recording = await deploy({ highAvailability: true });
    const { tap, dashboard, prometheus, enablePodAntiAffinity, enablePodDisruptionBudget } =
      valuesOf(recording);
    assert.deepEqual(
      { tap, dashboard, prometheus, enablePodAntiAffinity, enablePodDisruptionBudget },
      {
        tap: { externalSecret: true, caBundle: ca(recording), replicas: 3, resources },
        dashboard: { enforcedHostRegexp: "", resources },
        prometheus: {
          enabled: true,
          resources: { cpu: { request: "300m" }, memory: { request: "300Mi", limit: "8192Mi" } },
        },
        enablePodAntiAffinity: true,
        enablePodDisruptionBudget: true,
      },
    );
  });

  it("gives only values that the chart knows", async () => {
    for (const settings of [{ highAvailability: true }, { prometheusUrl: "http://prometheus:9090" }]) {
      assert.deepEqual(unknownValues(valuesOf(await deploy(settings)), VIZ_RULES), []);
    }
    // Or this test would prove nothing.
    assert.deepEqual(unknownValues({ tap: { replica: 3 }, podLabels: { any: "" } }, VIZ_RULES), [
      "tap.replica",
    ]);
  });

  it("rolls its pods when the trust bundle changes", async () => {
    const { podLabels } = valuesOf(await deploy({}, { trustBundlePem: "another" }));
    assert.notDeepEqual(podLabels, { "linkerd-mtls/trust-bundle": BUNDLE_HASH });
  });

  it("has certificates of its own for tap and the tap injector", async () => {
    const recording = await deploy({ webhookCertificates: { generation: 2, validityHours: 3 } });
    for (const service of ["tap", "tap-injector"]) {
      const secret = recording.get("Secret", `viz-webhooks-${service}-secret`).inputs;
      assert.deepEqual(secret.metadata, {
        name: `${service}-k8s-tls`,
        namespace: "linkerd-viz",
        annotations: { "pulumi.com/patchForce": "true", "cert-manager.io/issuer-name": "linkerd-mtls" },
      });
      const request = recording.get("CertRequest", `viz-webhooks-${service}-request`).inputs;
      assert.deepEqual(request.dnsNames, [`${service}.linkerd-viz.svc`]);
      assert.equal(recording.get("PrivateKey", `viz-webhooks-${service}-key`).replacementTrigger, 2);
      const certificate = recording.get("LocallySignedCert", `viz-webhooks-${service}-certificate`).inputs;
      assert.equal(certificate.validityPeriodHours, 3);
    }
  });

  it("gives its certificates, its chart's version and a gate that looks for tap", async () => {
    const recording = await deploy();
    assert.deepEqual(recording.outputs, {
      namespace: "linkerd-viz",
      chartVersion: "2026.6.3",
      certPems: {
        tap: recording.pems.get("viz-webhooks-tap-certificate"),
        "tap-injector": recording.pems.get("viz-webhooks-tap-injector-certificate"),
      },
      tap: true,
    });
  });

  it("is put between the control plane's gate and its own, and uninstalled before its namespace goes", async () => {
    const recording = await deploy();
    const release = recording.get("Release", "viz-release");
    const before = [
      ["RandomId", "gate-opened"],
      ["ValidatingAdmissionPolicyBinding", "guard-binding"],
      ["Secret", "viz-webhooks-tap-secret"],
      ["Secret", "viz-webhooks-tap-injector-secret"],
      ["Namespace", "viz-namespace"],
    ];
    for (const [type = "", name = ""] of before) {
      assert.ok(recording.isAfter(release, recording.get(type, name)), name);
    }
    assert.ok(recording.isAfter(recording.get("RandomId", "viz-gate-opened"), release));
  });

  it("has the control plane's gate asked before its pods are created or rolled", async () => {
    const { hooks } = (await deploy()).get("Release", "viz-release");
    const asked = ["viz-release-records", "gate"];
    assert.deepEqual(hooks, { beforeCreate: asked, beforeUpdate: asked });
  });

  it("needs no guard", async () => {
    const recording = await deploy({}, { guard: undefined });
    const binding = recording.get("ValidatingAdmissionPolicyBinding", "guard-binding");
    assert.ok(!recording.isAfter(recording.get("Release", "viz-release"), binding));
  });

  it("has its gate ask again when its chart, its values or the control plane's gate change", async () => {
    const recording = await deploy({ charts: { source: "./charts" }, enforcedHostRegexp: ".*" });
    const values = vizValues({
      linkerdNamespace: "linkerd",
      trustDomain: "example.org",
      trustBundlePem: BUNDLE,
      webhookTrust: { tap: { caBundle: ca(recording) }, "tap-injector": { caBundle: ca(recording) } },
      enforcedHostRegexp: ".*",
    });
    const chart = { chart: "./charts/linkerd-viz" };
    assert.deepEqual(recording.get("RandomId", "viz-gate-opened").inputs.keepers, {
      linkerd: "gate-opened-hex",
      viz: sha256(JSON.stringify({ chart, values, version: "from the directory" })),
    });
  });

  it("has its gate ask whom it is told, within its deadline", async () => {
    const recording = await deploy({
      gateDeadlineSeconds: 1,
      api: {
        dryRun: () => Promise.resolve({ injected: false, reason: "no tap", final: true }),
        diagnose: () => Promise.resolve([]),
      },
    });
    await assert.rejects(
      Promise.resolve(recording.hooks.get("viz-gate")?.callback({ urn: "", id: "", name: "", type: "" })),
      /\(deadline 1 s\)\n {2}last answer: no tap/,
    );
  });
});
