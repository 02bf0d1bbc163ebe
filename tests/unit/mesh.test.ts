import assert from "node:assert/strict";

import { InjectionGate, InjectMode, MeshedNamespace, MeshedWorkload, MeshGuard } from "../../components";
import { sha256 } from "../../components/pki/certificate";
import { record } from "../support/recorder";

describe("MeshedNamespace", () => {
  it("is annotated for injection, and is useful alone", async () => {
    const recording = await record(() => new MeshedNamespace("users"));
    assert.deepEqual(recording.get("Namespace", "users-namespace").inputs, {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "users", annotations: { "linkerd.io/inject": "enabled" } },
    });
  });

  it("can be for an ingress controller", async () => {
    const recording = await record(() => new MeshedNamespace("edge", { inject: "ingress" }));
    const { metadata } = recording.get("Namespace", "edge-namespace").inputs;
    assert.deepEqual(metadata, { name: "edge", annotations: { "linkerd.io/inject": "ingress" } });
  });

  it("comes after the gate and the guard", async () => {
    const recording = await record(() => {
      const gate = new InjectionGate("gate", { controlPlane: {} });
      const guard = new MeshGuard("guard");
      new MeshedNamespace("users", { gate, guard });
    });
    assert.deepEqual(
      new Set(recording.get("Namespace", "users-namespace").dependencies),
      new Set([
        recording.get("RandomId", "gate-opened").urn,
        recording.get("ValidatingAdmissionPolicy", "guard-policy").urn,
        recording.get("ValidatingAdmissionPolicyBinding", "guard-binding").urn,
      ]),
    );
  });

  it("refuses another mode", async () => {
    await assert.rejects(
      record(() => new MeshedNamespace("users", { inject: "true" as InjectMode })),
      { propertyPath: "inject", reason: "must be enabled or ingress, but is true" },
    );
  });
});

describe("MeshedWorkload", () => {
  const containers = [{ name: "users", image: "users:1" }];
  const labels = { "app.kubernetes.io/name": "users" };
  const args = { namespace: "users", containers, trustBundlePem: "bundle" };

  it("is a Deployment whose pods carry the hash of the trust bundle", async () => {
    const recording = await record(() => new MeshedWorkload("users", args));
    assert.deepEqual(recording.get("Deployment", "users-deployment").inputs, {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "users", namespace: "users", labels },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels, annotations: { "linkerd-mtls/trust-bundle-sha256": sha256("bundle") } },
          spec: { containers },
        },
      },
    });
    assert.deepEqual(recording.names().slice(1), [
      "linkerd-mtls:index:MeshedWorkload users",
      "kubernetes:apps/v1:Deployment users-deployment",
    ]);
  });

  it("has a Service where it has a port", async () => {
    const recording = await record(() => new MeshedWorkload("users", { ...args, port: 8080, replicas: 3 }));
    assert.deepEqual(recording.get("Service", "users-service").inputs, {
      apiVersion: "v1",
      kind: "Service",
      metadata: {
        name: "users",
        namespace: "users",
        labels,
        annotations: { "pulumi.com/skipAwait": "true" },
      },
      spec: { selector: labels, ports: [{ name: "http", port: 8080 }] },
    });
    const { spec } = recording.get("Deployment", "users-deployment").inputs;
    assert.equal((spec as { replicas: number }).replicas, 3);
  });

  it("has the gate asked before each roll-out, and comes after it", async () => {
    const recording = await record(() => {
      const gate = new InjectionGate("gate", { controlPlane: {} });
      new MeshedWorkload("users", { ...args, gate });
    });
    const deployment = recording.get("Deployment", "users-deployment");
    assert.deepEqual(deployment.hooks, { beforeCreate: ["gate"], beforeUpdate: ["gate"] });
    assert.deepEqual(deployment.dependencies, [recording.get("RandomId", "gate-opened").urn]);
  });
});
