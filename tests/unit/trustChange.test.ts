import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";

import * as pulumi from "@pulumi/pulumi";

import { readDeployedMesh } from "../../components";
import { refuseDowngrade } from "../../components/controlPlane/downgrade";
import {
  type DeployedTrust,
  liveCertificates,
  outageToken,
  type PlannedTrust,
} from "../../components/pki/deployedTrust";
import {
  type AnchorState,
  refuseTrustChange,
  refuseTrustDomain,
  trustProblems,
} from "../../components/pki/trustChange";
import { ApiServer, status } from "../support/apiServer";
import { testAnchor, type TestCertificate, testIssuer } from "../support/certificates";
import { warningsOf } from "../support/warnings";

const NONE_STAYS = /^none of the trust anchors on the cluster stays/;
const SIGNER = /^the issuer is signed by anchor \w+, which proxies that run do not trust yet/;
const PROVIDED = /^issuerCertificate is signed by an anchor that proxies that run do not trust yet/;
const IN_USE = /^the anchor of the issuer in use does not stay/;

describe("a change of trust", () => {
  let old: TestCertificate;
  let next: TestCertificate;
  let oldIssuer: TestCertificate;
  let nextIssuer: TestCertificate;

  before(async () => {
    [old, next] = [await testAnchor(), await testAnchor()];
    [oldIssuer, nextIssuer] = [await testIssuer(old), await testIssuer(next)];
  });

  function deployed(anchors: readonly TestCertificate[], issuer?: TestCertificate): DeployedTrust {
    return {
      trustDomain: "cluster.local",
      anchors: anchors.map(({ certPem }) => new X509Certificate(certPem)),
      issuer: issuer === undefined ? [] : [new X509Certificate(issuer.certPem)],
    };
  }

  interface Change {
    readonly from: DeployedTrust;
    readonly to: readonly (TestCertificate | "new" | "unknown")[];
    /** Place of the anchor that signs. */
    readonly signer?: number;
    readonly issuer?: TestCertificate;
  }

  function problems({ from, to, signer, issuer }: Change): string[] {
    const trustAnchors = to.map((_, index) => ({ id: `a${index}` }));
    const signingAnchor = signer === undefined ? undefined : `a${signer}`;
    const anchors = to.map((state): AnchorState =>
      typeof state === "string" ? state : { pem: state.certPem },
    );
    const planned = { trustDomain: "cluster.local", trustAnchors, signingAnchor };
    return trustProblems(from, planned, { anchors, issuer: issuer?.certPem });
  }

  function assertProblems(change: Change, ...expected: readonly RegExp[]): void {
    const found = problems(change);
    assert.equal(found.length, expected.length, found.join("\n"));
    for (const [index, pattern] of expected.entries()) assert.match(found[index] ?? "", pattern);
  }

  it("passes where nothing is deployed, or all of it has expired", async () => {
    assertProblems({ from: deployed([]), to: ["new"], signer: 0 });
    const expired = await testAnchor({ days: [-10, -1] });
    assert.deepEqual(liveCertificates(expired.certPem), []);
    assert.equal(liveCertificates(`${expired.certPem}\n${old.certPem}`).length, 1);
    assert.deepEqual(liveCertificates("no certificate"), []);
  });

  it("passes in each step of a staged rotation", () => {
    assertProblems({ from: deployed([old], oldIssuer), to: [old], signer: 0 });
    assertProblems({ from: deployed([old], oldIssuer), to: [old, "new"], signer: 0 });
    assertProblems({ from: deployed([old, next], oldIssuer), to: [old, next], signer: 1 });
    assertProblems({ from: deployed([old, next], nextIssuer), to: [next], signer: 0 });
    // With an issuer of one's own, and one of cert-manager.
    assertProblems({ from: deployed([old, next], oldIssuer), to: [old, next], issuer: nextIssuer });
    assertProblems({ from: deployed([old], oldIssuer), to: [old, next] });
  });

  it("is refused where no anchor stays", () => {
    assertProblems({ from: deployed([old], oldIssuer), to: ["new"], signer: 0 }, NONE_STAYS, SIGNER, IN_USE);
    assertProblems(
      { from: deployed([old], oldIssuer), to: [next], issuer: nextIssuer },
      NONE_STAYS,
      PROVIDED,
      IN_USE,
    );
    assertProblems({ from: deployed([old]), to: [next] }, NONE_STAYS);
  });

  it("is refused where the issuer's anchor was not deployed before", () => {
    assertProblems({ from: deployed([old], oldIssuer), to: [old, "new"], signer: 1 }, SIGNER);
    assertProblems({ from: deployed([old], oldIssuer), to: [old, next], signer: 1 }, SIGNER);
    assertProblems({ from: deployed([old], oldIssuer), to: [old, next], issuer: nextIssuer }, PROVIDED);
  });

  it("is refused where the anchor of the issuer in use is dropped", () => {
    assertProblems({ from: deployed([old, next], oldIssuer), to: [next], signer: 0 }, IN_USE);
    assertProblems({ from: deployed([old, next], oldIssuer), to: ["new", next], signer: 1 }, IN_USE);
  });

  it("is refused before the key of a new signer is made", () => {
    assertProblems({ from: deployed([old], oldIssuer), to: ["new", "unknown"], signer: 0 }, SIGNER);
  });

  it("says what is deployed, the staged way, and the value that lets it through", () => {
    const from = deployed([old], oldIssuer);
    const planned: PlannedTrust = {
      trustDomain: "cluster.local",
      trustAnchors: [{ id: "primary", generation: 2 }],
      signingAnchor: "primary",
    };
    const acceptOutage = outageToken(from, planned);
    const fingerprint = from.anchors[0]?.fingerprint256 ?? "";
    const until = old.notAfter.toISOString();
    assert.throws(
      () => {
        refuseTrustChange(from, planned, { anchors: ["new"] });
      },
      {
        message: [
          "This change of linkerd-mtls:trustAnchors and the issuer would cut traffic between meshed pods that run:",
          "  - none of the trust anchors on the cluster stays: proxies that run trust no certificate of primary",
          "  - the issuer is signed by anchor primary, which proxies that run do not trust yet: they refuse each certificate that it issues",
          `  - the anchor of the issuer in use does not stay (${fingerprint}): new proxies refuse the certificates of those that run`,
          "On the cluster (ConfigMap linkerd-identity-trust-roots):",
          `  - ${fingerprint} (CN=root.linkerd.cluster.local), valid until ${until}`,
          'Rotate in three steps, each with its own `up`: add the new anchor under a new id and keep the signer, until every meshed pod has been recreated; then change the signer; at the end remove the old anchor (docs/operations.md, "Rotating the trust anchor").',
          'For this change with an outage, see docs/operations.md, "Replacing all trust at once":',
          `    pulumi config set linkerd-mtls:acceptOutage ${acceptOutage}    # allows this change, and no other`,
        ].join("\n"),
      },
    );
    refuseTrustChange(from, { ...planned, acceptOutage }, { anchors: ["new"] });
    // An attempt that failed half-way has made the anchor.
    refuseTrustChange(from, { ...planned, acceptOutage }, { anchors: [{ pem: next.certPem }] });
    for (const another of [
      { trustAnchors: [{ id: "primary", generation: 3 }] },
      { trustAnchors: [{ id: "other", generation: 2 }] },
      { trustAnchors: [{ id: "primary", certificate: next.certPem }] },
      { trustDomain: "other.example" },
    ]) {
      assert.throws(() => {
        refuseTrustChange(from, { ...planned, ...another, acceptOutage }, { anchors: ["new"] });
      });
    }
    const later = deployed([next], nextIssuer);
    assert.throws(() => {
      refuseTrustChange(later, { ...planned, acceptOutage }, { anchors: ["new"] });
    });
  });

  it("of the trust domain is refused", () => {
    const from = deployed([old], oldIssuer);
    const planned: PlannedTrust = { trustDomain: "other.example", trustAnchors: [{ id: "primary" }] };
    const acceptOutage = outageToken(from, planned);
    assert.throws(
      () => {
        refuseTrustDomain(from, planned);
      },
      {
        message: [
          "linkerd-mtls:trustDomain must stay cluster.local, which the mesh on this cluster has, but is other.example.",
          "Proxies that run keep their names in the old domain, so they and those that start after the change refuse each other until every meshed pod of the cluster has been recreated.",
          "    pulumi config set linkerd-mtls:trustDomain cluster.local",
          'For this change with an outage, see docs/operations.md, "Changing the trust domain":',
          `    pulumi config set linkerd-mtls:acceptOutage ${acceptOutage}    # allows this change, and no other`,
        ].join("\n"),
      },
    );
    refuseTrustDomain(from, { ...planned, acceptOutage });
    refuseTrustDomain(from, { ...planned, trustDomain: "cluster.local" });
    refuseTrustDomain({ anchors: [], issuer: [] }, planned);
    assert.throws(() => {
      refuseTrustDomain(from, { ...planned, trustDomain: "third.example", acceptOutage });
    });
  });
});

describe("an older release of Linkerd", () => {
  it("is refused, unless it is named", async () => {
    const charts = { version: "edge-26.5.10" } as const;
    await assert.rejects(refuseDowngrade("edge-26.6.3", charts), {
      message: [
        "linkerd-mtls:linkerdVersion must be edge-26.6.3, which is on this cluster, or newer, but the charts are of edge-26.5.10.",
        "An older linkerd-crds deletes the custom resource definitions that it does not have, with all of their objects, and no longer serves newer versions of the others.",
        "    pulumi config set linkerd-mtls:linkerdVersion edge-26.6.3",
        "If the older release has the same definitions and versions (compare the charts), or you have saved the objects:",
        "    pulumi config set linkerd-mtls:acceptOutage edge-26.5.10    # allows this downgrade, and no other",
      ].join("\n"),
    });
    await refuseDowngrade("edge-26.6.3", charts, "edge-26.5.10");
    await assert.rejects(refuseDowngrade("edge-26.6.3", charts, "edge-26.5.9"));
  });

  it("is told from the same, a newer, and one that cannot be compared", async () => {
    for (const deployed of ["edge-26.6.3", "edge-26.6.2", "edge-25.12.4", "stable-2.14.10", undefined]) {
      await refuseDowngrade(deployed, { version: "edge-26.6.3" });
    }
    await assert.rejects(refuseDowngrade("edge-26.10.1", { version: "edge-26.6.3" }));
  });
});

describe("what a cluster has of Linkerd", () => {
  const server = new ApiServer();
  const SYSTEM = "GET /api/v1/namespaces/kube-system";
  const NAMESPACE = "GET /api/v1/namespaces/linkerd";
  const ROOTS = `${NAMESPACE}/configmaps/linkerd-identity-trust-roots`;
  const CONFIG = `${NAMESPACE}/configmaps/linkerd-config`;
  const ISSUER = `${NAMESPACE}/secrets/linkerd-identity-issuer`;

  before(() => server.listen());
  after(() => {
    server.close();
  });

  const read = (context = "here") => readDeployedMesh({ kubeconfig: server.kubeconfig(), context });

  it("is read: trust bundle, certificate of the issuer, trust domain, release", async () => {
    const anchor = await testAnchor();
    const issuer = await testIssuer(anchor);
    const base64 = (text: string): string => Buffer.from(text).toString("base64");
    for (const names of [
      ["tls.crt", "tls.key"],
      ["crt.pem", "key.pem"],
    ]) {
      const [certificate = "", key = ""] = names;
      server.answers = {
        [SYSTEM]: { body: { metadata: { uid: "uid-1" } } },
        [ROOTS]: { body: { data: { "ca-bundle.crt": anchor.certPem } } },
        [CONFIG]: { body: { data: { values: "identityTrustDomain: a.b\nlinkerdVersion: edge-26.6.3\n" } } },
        [ISSUER]: { body: { data: { [certificate]: base64(issuer.certPem), [key]: base64(issuer.keyPem) } } },
      };
      const found = await read();
      assert.ok(found);
      assert.deepEqual(found, {
        ...found,
        clusterUid: "uid-1",
        trustDomain: "a.b",
        linkerdVersion: "edge-26.6.3",
        anchors: found.anchors,
        issuer: found.issuer,
      });
      assert.equal(found.anchors[0]?.fingerprint256, new X509Certificate(anchor.certPem).fingerprint256);
      assert.equal(found.issuer[0]?.fingerprint256, new X509Certificate(issuer.certPem).fingerprint256);
    }
  });

  it("is nothing where nothing is", async () => {
    const none = status(404, "not found");
    server.answers = {
      [SYSTEM]: { body: { metadata: { uid: "uid-1" } } },
      [ROOTS]: none,
      [CONFIG]: none,
      [ISSUER]: none,
    };
    const found = await read();
    assert.deepEqual(found, {
      ...found,
      clusterUid: "uid-1",
      trustDomain: undefined,
      linkerdVersion: undefined,
      anchors: [],
      issuer: [],
    });
  });

  const UNKNOWN =
    "the cluster does not say what is deployed, so a change that cuts traffic would not be noticed: ";
  const ALLOWED =
    "\n    the deploying user must be allowed to get namespace kube-system and, in namespace linkerd, configmaps and " +
    "Secret linkerd-identity-issuer; see kubectl auth can-i --list -n linkerd";

  it("must be readable", async () => {
    const none = status(404, "not found");
    server.answers = {
      [SYSTEM]: { body: {} },
      [ROOTS]: none,
      [CONFIG]: none,
      [ISSUER]: status(403, "secrets is forbidden"),
    };
    await assert.rejects(read(), { message: `${UNKNOWN}secrets is forbidden${ALLOWED}` });
  });

  const preview = (preview: boolean): Promise<void> =>
    pulumi.runtime.setMocks(
      { call: () => ({}), newResource: ({ name }) => ({ id: name, state: {} }) },
      "p",
      "s",
      preview,
    );

  it("is not known to a preview where nobody answers, and stops `up`", async () => {
    await assert.rejects(read("nowhere"), ({ message }: Error) => message.startsWith(UNKNOWN));
    await preview(true);
    const warnings = await warningsOf(async () => {
      assert.equal(await read("nowhere"), undefined);
    });
    await preview(false);
    assert.equal(warnings.length, 1);
    assert.ok(warnings[0]?.startsWith(UNKNOWN), warnings[0]);
  });
});
