import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";

import type { DeployedTrust } from "../../components/pki/deployedTrust";
import { warnOfOutage } from "../../components/pki/outage";
import type { MeshedPod } from "../../components/pki/runningTrust";
import { testAnchor, type TestCertificate, testIssuer } from "../support/certificates";
import { warningsOf } from "../support/warnings";

describe("an outage of a change of trust", () => {
  let old: TestCertificate;
  let issuer: TestCertificate;

  before(async () => {
    old = await testAnchor();
    issuer = await testIssuer(old);
  });

  const pod = (owner: string, rolledBy: MeshedPod["rolledBy"]): MeshedPod => ({
    owner,
    rolledBy,
    created: new Date(0),
  });
  const OWN = [
    pod("Deployment linkerd/linkerd-identity", "control plane"),
    pod("Deployment shop/web", "stack"),
  ];

  /** The warnings of a change to a new anchor, or of none. */
  function warnings(
    args: Partial<DeployedTrust> & { readonly pods?: readonly MeshedPod[]; readonly to?: string },
  ): Promise<string[]> {
    const { pods = OWN, to, ...given } = args;
    const deployed: DeployedTrust = {
      trustDomain: "cluster.local",
      anchors: [new X509Certificate(old.certPem)],
      issuer: [new X509Certificate(issuer.certPem)],
      readRunning: () => Promise.resolve({ pods, lifetimeSeconds: 60 }),
      ...given,
    };
    const planned = { trustDomain: "cluster.local", trustAnchors: [{ id: "a" }], signingAnchor: "a" };
    return warningsOf(() =>
      warnOfOutage(deployed, planned, { anchors: [to === undefined ? "new" : { pem: to }] }),
    );
  }

  it("is said with what `up` restarts, and with the commands for the rest", async () => {
    const others = ["api", "api", "db"].map((name) => pod(`Deployment others/${name}`, "others"));
    assert.deepEqual(await warnings({ pods: [...OWN, ...others] }), [
      [
        "this change cuts traffic: a pod created before it and one created after it refuse each other until both have been recreated:",
        "  2 pods of the control plane and of this stack: `up` restarts them, each once",
        "  3 pods of others: `up` restarts what linkerd-mtls:rolls names, and says at its end what is left. All of them:",
        "    pulumi config set --path linkerd-mtls:rolls.workloads all",
        "    pulumi config set --path linkerd-mtls:rolls.percent 100",
      ].join("\n"),
    ]);
  });

  it("is that of a mesh whose anchors have all expired", async () => {
    const [warning = "", ...more] = await warnings({ anchors: [], issuer: [] });
    assert.match(
      warning,
      /^every trust anchor on the cluster has expired, .* until both have been recreated:\n/,
    );
    assert.match(
      warning,
      / {2}2 pods of the control plane and of this stack: `up` restarts them, each once$/,
    );
    assert.deepEqual(more, []);
  });

  it("is that of an issuer that has expired, without a restart of any other pod than those of identity", async () => {
    const issuerExpired = new Date("2026-01-01T00:00:00Z");
    assert.deepEqual(await warnings({ issuer: [], issuerExpired, to: old.certPem }), [
      "the issuer on the cluster has expired on 2026-01-01T00:00:00.000Z: identity issues nothing until it is replaced. `up` then restarts identity unless that has taken the new one by itself, and no other pod",
    ]);
  });

  it("is none where the anchor stays, no mesh was deployed, or no pod is meshed", async () => {
    assert.deepEqual(await warnings({ to: old.certPem }), []);
    assert.deepEqual(await warnings({ trustDomain: undefined, anchors: [], issuer: [] }), []);
    assert.deepEqual(await warnings({ pods: [] }), []);
    assert.deepEqual(await warnings({ readRunning: undefined }), []);
  });
});
