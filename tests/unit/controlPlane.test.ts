import assert from "node:assert/strict";

import { LinkerdControlPlane, LinkerdCrds, LinkerdNamespace } from "../../components";
import type { ChartSource } from "../../components/controlPlane/version";
import { controlPlaneValues } from "../../components/controlPlane/values";
import { chartVersion, LINKERD_VERSION } from "../../components/controlPlane/version";
import { sha256 } from "../../components/certificates/pem";
import { namespaceMark, STACK } from "../support/mark";
import { record, type Recording } from "../support/recorder";

describe("LinkerdNamespace", () => {
  it("carries the metadata that Linkerd looks for", async () => {
    const recording = await record(() => ({ name: new LinkerdNamespace("linkerd", { cluster: {} }).name }));
    assert.deepEqual(recording.get("Namespace", "linkerd-namespace").inputs, {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: {
        name: "linkerd",
        labels: {
          "linkerd.io/is-control-plane": "true",
          "linkerd.io/control-plane-ns": "linkerd",
          "config.linkerd.io/admission-webhooks": "disabled",
          "pod-security.kubernetes.io/enforce": "privileged",
        },
        annotations: { "linkerd.io/inject": "disabled", ...namespaceMark("linkerd-namespace") },
      },
    });
    assert.deepEqual(recording.outputs, { name: "linkerd" });
  });

  it("needs no privileges with the CNI plugin", async () => {
    const recording = await record(() => new LinkerdNamespace("linkerd", { cniEnabled: true, cluster: {} }));
    const { metadata } = recording.get("Namespace", "linkerd-namespace").inputs;
    const { labels } = metadata as { labels: Record<string, string> };
    assert.equal(labels["pod-security.kubernetes.io/enforce"], "restricted");
  });
});

describe("versions", () => {
  it("derives the charts' version from the release's", () => {
    assert.equal(chartVersion("edge-26.6.3"), "2026.6.3");
    assert.equal(chartVersion("edge-26.12.10"), "2026.12.10");
  });

  it("knows only edge releases", () => {
    const texts = ["edge-26.6.3", "stable-2.14.10", "26.6.3", "edge-26.6", "edge-26.6.3-rc1"];
    assert.deepEqual(texts.filter(LINKERD_VERSION.allows), ["edge-26.6.3"]);
  });
});

describe("LinkerdCrds", () => {
  const deploy = (charts?: ChartSource): Promise<Recording> =>
    record(() => new LinkerdCrds("crds", { namespace: "linkerd", charts, cluster: {} }));
  const common = {
    compat: "true",
    name: "linkerd-crds",
    namespace: "linkerd",
    createNamespace: false,
    description: `deployed by stack ${STACK}`,
    skipAwait: true,
    timeout: 600,
    disableOpenapiValidation: true,
    maxHistory: 10,
  };

  it("comes from Linkerd's repository, in the default release", async () => {
    assert.deepEqual((await deploy()).get("Release", "crds-release").inputs, {
      ...common,
      chart: "linkerd-crds",
      version: "2026.6.3",
      repositoryOpts: { repo: "https://helm.linkerd.io/edge" },
    });
  });

  it("comes from an OCI registry, in another release", async () => {
    const recording = await deploy({ source: "oci://registry.example.org/linkerd/", version: "edge-26.8.3" });
    assert.deepEqual(recording.get("Release", "crds-release").inputs, {
      ...common,
      chart: "oci://registry.example.org/linkerd/linkerd-crds",
      version: "2026.8.3",
    });
  });

  it("comes from a directory, in the release that is there", async () => {
    const recording = await deploy({ source: "./charts", version: "edge-26.8.3" });
    assert.deepEqual(recording.get("Release", "crds-release").inputs, {
      ...common,
      chart: "./charts/linkerd-crds",
    });
  });
});

describe("LinkerdControlPlane", () => {
  const args = {
    namespace: "linkerd",
    trustBundlePem: "bundle",
    trustDomain: "example.org",
    cluster: {},
    webhookTrust: {
      "linkerd-proxy-injector": { caBundle: "ca 1" },
      "linkerd-sp-validator": { caBundle: "ca 2" },
      "linkerd-policy-validator": { injectCaFrom: "linkerd/linkerd-policy-validator" },
    },
  };

  it("is a release whose values hold no key, and which a gate awaits", async () => {
    const recording = await record(() => ({
      digest: new LinkerdControlPlane("control-plane", args).digest,
    }));
    const release = recording.get("Release", "control-plane-release");
    assert.deepEqual(release.inputs, {
      compat: "true",
      chart: "linkerd-control-plane",
      version: "2026.6.3",
      repositoryOpts: { repo: "https://helm.linkerd.io/edge" },
      name: "linkerd-control-plane",
      namespace: "linkerd",
      createNamespace: false,
      description: `deployed by stack ${STACK}`,
      skipAwait: true,
      timeout: 600,
      disableOpenapiValidation: true,
      maxHistory: 10,
      values: {
        identityTrustAnchorsPEM: "bundle",
        identityTrustDomain: "example.org",
        identity: { issuer: { scheme: "kubernetes.io/tls", issuanceLifetime: "24h0m0s" } },
        proxyInjector: { externalSecret: true, caBundle: "ca 1" },
        profileValidator: { externalSecret: true, caBundle: "ca 2" },
        policyValidator: { externalSecret: true, injectCaFrom: "linkerd/linkerd-policy-validator" },
        cniEnabled: false,
        heartbeatSchedule: "0 0 * * *",
      },
    });
    assert.deepEqual(release.secretInputs, []);
    const gate = recording.get("RandomId", "control-plane-rolled-out");
    assert.ok(recording.isAfter(gate, release));
    assert.deepEqual(gate.inputs.keepers, {
      namespace: "linkerd",
      selector: "linkerd.io/control-plane-component",
      digest: (recording.outputs as { digest: string }).digest,
    });
  });

  it("has a digest that changes with the chart and with each value, and with nothing else", async () => {
    const variants = {
      same: args,
      again: args,
      bundle: { ...args, trustBundlePem: "other" },
      domain: { ...args, trustDomain: "other" },
      webhook: {
        ...args,
        webhookTrust: { ...args.webhookTrust, "linkerd-policy-validator": { caBundle: "other" } },
      },
      lifetime: { ...args, issuanceLifetime: 3600 },
      version: { ...args, charts: { version: "edge-26.8.3" } as const },
      cni: { ...args, cniEnabled: true },
    };
    const recording = await record(() =>
      Object.fromEntries(
        Object.entries(variants).map(([name, variant]) => [
          name,
          new LinkerdControlPlane(name, variant).digest,
        ]),
      ),
    );
    const { same, again, ...others } = recording.outputs as Record<string, string>;
    assert.equal(same, again);
    assert.equal(new Set([same, ...Object.values(others)]).size, 7);
  });

  it("leaves redirection to the CNI plugin where there is one", async () => {
    const recording = await record(
      () => new LinkerdControlPlane("control-plane", { ...args, cniEnabled: true }),
    );
    const { values } = recording.get("Release", "control-plane-release").inputs;
    assert.equal((values as { cniEnabled: unknown }).cniEnabled, true);
  });

  for (const issuanceLifetime of [59, 90.5, 9_223_372_037]) {
    it(`refuses certificates of proxies for ${issuanceLifetime} seconds`, async () => {
      await assert.rejects(
        record(() => new LinkerdControlPlane("control-plane", { ...args, issuanceLifetime })),
        {
          errors: [
            {
              propertyPath: "issuanceLifetime",
              reason: `must be a whole number of seconds, 60 to 9223372036, but is ${issuanceLifetime}`,
            },
          ],
        },
      );
    });
  }

  it("has the version that was installed from a directory in its digest", async () => {
    const charts = { source: "./charts" };
    const recording = await record(() => {
      const { digest } = new LinkerdControlPlane("control-plane", { ...args, charts });
      return { digest };
    });
    const values = controlPlaneValues({ ...args, issuanceLifetime: 86_400, cniEnabled: false });
    const chart = { chart: "./charts/linkerd-control-plane" };
    assert.deepEqual(recording.outputs, {
      digest: sha256(JSON.stringify({ chart, values, version: "from the directory" })),
    });
  });
});
