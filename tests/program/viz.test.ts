import assert from "node:assert/strict";

import program from "../../index";
import { assertGolden } from "../support/golden";
import { record, type Recorded, type Recording } from "../support/recorder";
import { stackConfig } from "../support/stackConfig";

function templateAnnotations({ inputs }: Recorded): Record<string, string> {
  const { spec } = inputs as { spec: { template: { metadata: { annotations: Record<string, string> } } } };
  return spec.template.metadata.annotations;
}

describe("the program with viz", () => {
  let dev: Recording;
  let viz: Recording;

  before(async () => {
    dev = await record(program, { stack: "dev", config: stackConfig("dev") });
    viz = await record(program, {
      stack: "dev",
      config: {
        ...stackConfig("dev"),
        "linkerd-mtls:viz": JSON.stringify({
          enabled: true,
          enforcedHostRegexp: ".*",
          prometheusUrl: "http://prometheus.monitoring:9090",
          highAvailability: true,
        }),
        "linkerd-mtls:webhookCertificates": '{"generation":2,"validityHours":48}',
        "linkerd-mtls:trustDomain": "example.org",
        "linkerd-mtls:linkerdVersion": "edge-26.8.3",
      },
    });
  });

  it("asks for these resources more", () => {
    const before = new Set(dev.names());
    assertGolden(
      "viz.resources.yaml",
      viz
        .names()
        .filter((name) => !before.has(name))
        .sort(),
    );
  });

  it("gives it what its key says", () => {
    const release = viz.get("Release", "linkerd-viz-release").inputs;
    const found = release.values as Record<string, Record<string, unknown>>;
    assert.equal(release.version, "2026.8.3");
    assert.equal(found.linkerdNamespace, "linkerd");
    assert.equal(found.identityTrustDomain, "example.org");
    assert.equal(found.dashboard?.enforcedHostRegexp, ".*");
    assert.equal(found.prometheusUrl, "http://prometheus.monitoring:9090");
    assert.equal(found.enablePodAntiAffinity, true);
    for (const webhook of ["tap", "tap-injector"]) {
      assert.equal(viz.get("PrivateKey", `linkerd-viz-webhooks-${webhook}-key`).replacementTrigger, 2);
      const { validityPeriodHours } = viz.get(
        "LocallySignedCert",
        `linkerd-viz-webhooks-${webhook}-certificate`,
      ).inputs;
      assert.equal(validityPeriodHours, 48);
    }
  });

  it("creates workloads behind its gate and rolls them once", () => {
    const release = viz.get("Release", "linkerd-viz-release");
    const [gate] = viz.resources.filter(
      ({ type, name }) =>
        type.endsWith(":RandomId") && name.startsWith("linkerd-viz") && name.endsWith("-opened"),
    );
    assert.ok(gate);
    assert.ok(viz.isAfter(gate, release));
    assert.ok(viz.isAfter(release, viz.get("RandomId", "linkerd-gate-opened")));
    for (const name of ["hello-deployment", "world-deployment"]) {
      const deployment = viz.get("Deployment", name);
      assert.ok(viz.isAfter(deployment, gate));
      const [hook = ""] = deployment.hooks.beforeUpdate;
      assert.equal(`${hook}-opened`, gate.name);
      assert.equal(templateAnnotations(deployment)["linkerd-mtls/tap"], "enabled");
      assert.equal(templateAnnotations(dev.get("Deployment", name))["linkerd-mtls/tap"], undefined);
    }
  });

  it("shows its chart and its certificates", () => {
    const outputs = viz.outputs as Record<string, Record<string, unknown>>;
    assert.equal(outputs.chartVersions?.["linkerd-viz"], "2026.8.3");
    assert.deepEqual(Object.keys(outputs.webhookCertificates ?? {}), [
      "linkerd-proxy-injector",
      "linkerd-sp-validator",
      "linkerd-policy-validator",
      "tap",
      "tap-injector",
    ]);
  });
});
