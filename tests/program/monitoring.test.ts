import assert from "node:assert/strict";

import program from "../../index";
import { assertGolden } from "../support/golden";
import { record, type Recording } from "../support/recorder";
import { stackConfig } from "../support/stackConfig";

const MONITORING = { enabled: true, namespace: "monitoring", labels: { release: "prometheus" } };

const deploy = (stack: string, values: Record<string, unknown>): Promise<Recording> => {
  const texts = Object.entries(values).map(([key, value]) => [`linkerd-mtls:${key}`, JSON.stringify(value)]);
  return record(program, {
    stack,
    config: { ...stackConfig(stack), ...(Object.fromEntries(texts) as Record<string, string>) },
  });
};

/** The specification of the rules; the ends of certificates are those of this run. */
function spec(recording: Recording): unknown {
  const text = JSON.stringify(recording.get("PrometheusRule", "linkerd-monitoring-rules").inputs.spec);
  return JSON.parse(text.replaceAll(/vector\(\d{10}\)/g, "vector(<end>)"));
}

describe("the program with monitoring", () => {
  let dev: Recording;
  let monitored: Recording;

  before(async () => {
    dev = await deploy("dev", {});
    monitored = await deploy("dev", { monitoring: MONITORING });
  });

  it("asks for these resources more", () => {
    const before = new Set(dev.names());
    assertGolden(
      "monitoring.resources.yaml",
      monitored.names().filter((name) => !before.has(name)),
    );
  });

  it("makes these rules", () => {
    assertGolden("monitoring.rules.yaml", spec(monitored));
  });

  it("makes these rules with cert-manager and viz", async () => {
    const rotating = await deploy("rotating", { monitoring: { enabled: true }, viz: { enabled: true } });
    assertGolden("monitoring.rotating.rules.yaml", spec(rotating));
    const { metadata } = rotating.get("PrometheusRule", "linkerd-monitoring-rules").inputs;
    assert.equal((metadata as { namespace: string }).namespace, "linkerd");
  });

  it("makes a dashboard that Grafana's sidecar finds", () => {
    const { metadata, data } = monitored.get("ConfigMap", "linkerd-monitoring-dashboard").inputs as {
      metadata: { name: string; namespace: string; labels: Record<string, string> };
      data: Record<string, string>;
    };
    const { name, namespace, labels } = metadata;
    assert.deepEqual([name, namespace], ["linkerd-mtls-dashboard", "monitoring"]);
    assert.deepEqual(labels, { grafana_dashboard: "1" });
    assert.deepEqual(Object.keys(data), ["linkerd-mtls.json"]);
    assert.equal((JSON.parse(data["linkerd-mtls.json"] ?? "") as { uid: string }).uid, "linkerd-mtls");
  });

  it("puts them where the operator looks", () => {
    const { metadata } = monitored.get("PrometheusRule", "linkerd-monitoring-rules").inputs;
    const { annotations, ...rest } = metadata as { annotations: Record<string, string> };
    assert.deepEqual(Object.keys(annotations), ["linkerd-mtls/stack"]);
    assert.deepEqual(rest, {
      name: "linkerd-mtls",
      namespace: "monitoring",
      labels: { release: "prometheus" },
    });
  });
});
