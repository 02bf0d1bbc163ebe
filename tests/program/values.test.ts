import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import program from "../../index";
import { record, type Recording } from "../support/recorder";
import { stackConfig } from "../support/stackConfig";

/** Deploys with further values. */
function deploy(values: object, config: Record<string, string> = {}): Promise<Recording> {
  return record(program, {
    config: { ...stackConfig("dev"), "linkerd-mtls:values": JSON.stringify(values), ...config },
  });
}

/** Values of the release of a chart, by the part of its name that every release has. */
function valuesOf(recording: Recording, chart: string): Record<string, unknown> {
  const [release] = recording.resources.filter(
    ({ type, inputs }) => type.endsWith(":Release") && inputs.name === chart,
  );
  assert.ok(release, chart);
  return release.inputs.values as Record<string, unknown>;
}

describe("the program with values", () => {
  const values = {
    "linkerd-crds": { installGatewayAPI: true },
    "linkerd-control-plane": {
      proxy: { logLevel: "warn", resources: { cpu: { request: "200m" } } },
      controllerReplicas: 5,
      policyController: { probeNetworks: ["10.0.0.0/8"] },
      destinationResources: { memory: { request: "1Gi" } },
    },
    "linkerd-viz": { tap: { replicas: 2 }, podLabels: { team: "platform" } },
    "cert-manager": { webhook: { replicaCount: 5 }, enableCertificateOwnerRef: true },
    "trust-manager": { defaultPackage: { enabled: true } },
  };
  let recording: Recording;

  before(async () => {
    recording = await deploy(values, {
      "linkerd-mtls:highAvailability": "true",
      "linkerd-mtls:certificates": "cert-manager",
      "linkerd-mtls:certManager": '{"highAvailability":true}',
      "linkerd-mtls:trustManager": '{"enabled":true}',
      "linkerd-mtls:viz": '{"enabled":true,"highAvailability":true}',
    });
  });

  it("gives them to the releases, over those of high availability", () => {
    assert.deepEqual(valuesOf(recording, "linkerd-crds"), { installGatewayAPI: true });
    const controlPlane = valuesOf(recording, "linkerd-control-plane");
    assert.deepEqual(controlPlane.proxy, {
      logLevel: "warn",
      resources: { cpu: { request: "200m" }, memory: { request: "20Mi", limit: "250Mi" } },
    });
    assert.equal(controlPlane.controllerReplicas, 5);
    assert.deepEqual(controlPlane.policyController, { probeNetworks: ["10.0.0.0/8"] });
    assert.deepEqual(controlPlane.destinationResources, {
      cpu: { request: "100m" },
      memory: { request: "1Gi", limit: "250Mi" },
    });
    const viz = valuesOf(recording, "linkerd-viz");
    assert.equal((viz.tap as { replicas: unknown }).replicas, 2);
    assert.deepEqual(Object.keys(viz.podLabels as object), ["linkerd-mtls/trust-bundle", "team"]);
    const certManager = valuesOf(recording, "cert-manager");
    assert.deepEqual(certManager.webhook, { replicaCount: 5, podDisruptionBudget: { enabled: true } });
    assert.equal(certManager.enableCertificateOwnerRef, true);
    assert.deepEqual(valuesOf(recording, "trust-manager").defaultPackage, { enabled: true });
  });

  it("keeps its own", () => {
    const controlPlane = valuesOf(recording, "linkerd-control-plane");
    assert.equal(
      (controlPlane.identity as { issuer: { scheme: string } }).issuer.scheme,
      "kubernetes.io/tls",
    );
    assert.deepEqual(valuesOf(recording, "cert-manager").crds, { enabled: true, keep: false });
  });

  it("refuses what another key sets, and what the chart does not have", async () => {
    const wrong = {
      "linkerd-control-plane": { cniEnabled: true, proxy: { logLevels: "warn" } },
      "linkerd-viz": { prometheus: { enabled: false } },
    };
    await assert.rejects(deploy(wrong), (error: Error) => {
      for (const line of [
        "has 3 problems",
        "linkerd-mtls:values.linkerd-control-plane.cniEnabled must not be set here (cniEnabled sets it), but is true",
        "linkerd-mtls:values.linkerd-control-plane.proxy.logLevels must be a value of linkerd-control-plane in edge-26.8.3",
        "linkerd-mtls:values.linkerd-viz.prometheus.enabled must not be set here (viz.prometheusUrl sets it), but is false",
      ]) {
        assert.ok(error.message.includes(line), `${line} is not in\n${error.message}`);
      }
      return true;
    });
  });

  describe("of charts in a directory", () => {
    let charts: string;

    before(() => {
      charts = mkdtempSync(join(tmpdir(), "charts-"));
      const release = join(__dirname, "chartValues", "edge-26.8.3");
      for (const chart of ["linkerd-crds", "linkerd-control-plane"]) {
        cpSync(join(release, chart), join(charts, chart), { recursive: true });
        writeFileSync(join(charts, chart, "Chart.yaml"), `name: ${chart}\nversion: 2026.9.1\n`);
      }
      writeFileSync(join(charts, "linkerd-control-plane", "values.yaml"), "newer: { value: 1 }\n");
      mkdirSync(join(charts, "linkerd-control-plane", "templates"));
      writeFileSync(
        join(charts, "linkerd-control-plane", "templates", "a.yaml"),
        "{{ .Values.proxy.newest }}",
      );
    });
    after(() => {
      rmSync(charts, { recursive: true });
    });

    it("takes those that the directory has, and no others", async () => {
      const config = { "linkerd-mtls:chartSource": charts };
      const newer = { newer: { value: 2 }, proxy: { newest: 3 } };
      const found = valuesOf(
        await deploy({ "linkerd-control-plane": newer }, config),
        "linkerd-control-plane",
      );
      assert.deepEqual({ newer: found.newer, proxy: found.proxy }, newer);
      await assert.rejects(
        deploy({ "linkerd-control-plane": { proxy: { logLevel: "warn" } } }, config),
        /proxy\.logLevel must be a value of the chart in \/.*linkerd-control-plane, but is unknown/,
      );
    });
  });
});
