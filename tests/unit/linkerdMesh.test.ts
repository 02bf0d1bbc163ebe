import assert from "node:assert/strict";

import { LinkerdMesh, type LinkerdMeshArgs, MeshedWorkload } from "../../components";
import { testAnchor } from "../support/certificates";
import { record, type Recording } from "../support/recorder";

const deploy = (args: Omit<LinkerdMeshArgs, "cluster"> = {}): Promise<Recording> =>
  record(() => new LinkerdMesh("mesh", { cluster: {}, ...args }).meshedNamespaces);

describe("LinkerdMesh", () => {
  it("is a whole mesh from a cluster alone", async () => {
    const recording = await deploy();
    for (const [type, name] of [
      ["SelfSignedCert", "mesh-trust-anchor-primary-certificate"],
      ["Secret", "mesh-identity-issuer-secret"],
      ["Release", "mesh-crds-release"],
      ["Release", "mesh-control-plane-release"],
      ["RandomId", "mesh-gate-opened"],
    ] as const) {
      assert.ok(recording.get(type, name), name);
    }
    const { values } = recording.get("Release", "mesh-control-plane-release").inputs;
    assert.equal((values as { identityTrustDomain: string }).identityTrustDomain, "cluster.local");
    assert.deepEqual(recording.outputs, []);
  });

  it("signs with the key of the only anchor, which is provided", async () => {
    const { certPem, keyPem } = await testAnchor();
    const recording = await deploy({
      trustAnchors: [{ id: "own", certificate: certPem }],
      trustAnchorKey: keyPem,
    });
    const { inputs, secretInputs } = recording.get("LocallySignedCert", "mesh-identity-issuer-certificate");
    assert.equal(inputs.caPrivateKeyPem, keyPem);
    assert.deepEqual(secretInputs, ["caPrivateKeyPem"]);
  });

  it("refuses an anchor without a key where no issuer is provided", async () => {
    const { certPem } = await testAnchor();
    await assert.rejects(deploy({ trustAnchors: [{ id: "own", certificate: certPem }] }), {
      propertyPath: "signingAnchor",
    });
  });

  it("deploys namespaces behind its gate, and is the mesh of workloads of one's own", async () => {
    const podSpec = { containers: [{ name: "api", image: "api:1" }] };
    const recording = await record(() => {
      const mesh = new LinkerdMesh("mesh", {
        cluster: {},
        namespaces: [{ name: "payments", workloads: [{ name: "api", podSpec }] }],
      });
      new MeshedWorkload("own", { namespace: "payments", podSpec, mesh });
      return mesh.meshedNamespaces;
    });
    assert.deepEqual(recording.outputs, ["payments"]);
    const gate = recording.get("RandomId", "mesh-gate-opened");
    for (const name of ["mesh-payments/api-deployment", "own-deployment"]) {
      const deployment = recording.get("Deployment", name);
      assert.deepEqual(deployment.hooks, { beforeCreate: ["mesh-gate"], beforeUpdate: ["mesh-gate"] });
      assert.ok(recording.isAfter(deployment, gate), name);
    }
  });
});
