import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as pulumi from "@pulumi/pulumi";

import { problems, read } from "../support/readConfig";

describe("key values", () => {
  let charts: string;

  before(async () => {
    await pulumi.runtime.setMocks(
      { newResource: () => ({ id: "", state: {} }), call: () => ({}) },
      "linkerd-mtls",
      "test",
    );
    charts = mkdtempSync(join(tmpdir(), "charts-"));
    for (const chart of ["linkerd-crds", "linkerd-control-plane", "cert-manager", "trust-manager"]) {
      mkdirSync(join(charts, chart));
      writeFileSync(join(charts, chart, "Chart.yaml"), "version: 1.0.0\n");
      writeFileSync(join(charts, chart, "values.yaml"), "own: true\n");
    }
  });
  after(() => {
    rmSync(charts, { recursive: true });
  });

  it("has values of each chart", () => {
    const values = {
      "linkerd-crds": { installGatewayAPI: true },
      "linkerd-control-plane": { proxy: { logLevel: "warn" }, podAnnotations: { "a.b/c": "d" } },
      "linkerd-viz": { dashboard: { replicas: 2 } },
      "cert-manager": { anything: 1 },
      "trust-manager": { anything: 2 },
    };
    assert.deepEqual(read({ values }).values, values);
    assert.deepEqual(read({}).values, {});
  });

  it("is checked against the charts of the directory that each comes from", () => {
    const values = Object.fromEntries(
      ["linkerd-control-plane", "cert-manager", "trust-manager"].map((chart) => [
        chart,
        { own: 1, other: 2 },
      ]),
    );
    const found = problems({
      values,
      chartSource: charts,
      certificates: "cert-manager",
      certManagerChartSource: charts,
      trustManager: { enabled: true },
      trustManagerChartSource: charts,
    });
    assert.deepEqual(
      found.map((problem) => problem.split("\n    ")),
      Object.keys(values).map((chart) => [
        `linkerd-mtls:values.${chart}.other must be a value of the chart in ${join(charts, chart)}, but is unknown`,
        `pulumi config rm --path 'linkerd-mtls:values.${chart}.other'`,
      ]),
    );
  });

  it("has no null in place of a chart's values", () => {
    assert.deepEqual(problems({ values: { "linkerd-viz": null } }), [
      "linkerd-mtls:values.linkerd-viz must be an object, as the chart's values.yaml is, but is null\n" +
        "    pulumi config rm --path 'linkerd-mtls:values.linkerd-viz'",
    ]);
  });

  it("reports every problem, with the command that removes it", () => {
    const values = {
      "linkerd-control-plane": { identity: { issuer: { tls: { keyPEM: "x" } } }, "proxy.logLevel": "warn" },
      "linkerd-viz": { podLabels: { "linkerd-mtls/trust-bundle": "x" }, tap: { replica: null } },
    };
    assert.deepEqual(
      problems({ values }).map((problem) => problem.split("\n    ")[1]),
      [
        "pulumi config rm --path 'linkerd-mtls:values.linkerd-control-plane.identity.issuer.tls.keyPEM'",
        `pulumi config rm --path 'linkerd-mtls:values.linkerd-control-plane["proxy.logLevel"]'`,
        "pulumi config rm --path 'linkerd-mtls:values.linkerd-viz.podLabels.linkerd-mtls/trust-bundle'",
        "pulumi config rm --path 'linkerd-mtls:values.linkerd-viz.tap.replica'",
      ],
    );
  });
});
