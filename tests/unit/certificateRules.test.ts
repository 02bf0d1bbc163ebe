import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";

import * as pulumi from "@pulumi/pulumi";

import {
  checkIssuer,
  checkIssuerKey,
  checkTrustAnchor,
} from "../../components/certificates/certificateRules";
import { TestCertificate, testAnchor, testCertificate, testIssuer } from "../support/certificates";
import { read } from "../support/readConfig";
import { warningsOf } from "../support/warnings";

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

describe("certificates that are provided", () => {
  let anchor: TestCertificate;
  let issuer: TestCertificate;

  before(async () => {
    anchor = await testAnchor();
    issuer = await testIssuer(anchor);
  });

  const anchorsOf = (...certificates: TestCertificate[]) =>
    certificates.flatMap(({ certPem }) => checkTrustAnchor(certPem).anchor ?? []);
  const surroundings = (...anchors: TestCertificate[]) => ({
    anchors: anchorsOf(...anchors),
    trustDomain: "cluster.local",
  });

  for (const key of ["P-256", "RSA 2048", "RSA 4096"] as const) {
    it(`may have an anchor with the key ${key}`, async () => {
      const made = await testAnchor({ key });
      const signed = await testIssuer(made);
      assert.deepEqual(checkTrustAnchor(made.certPem).problems, []);
      assert.deepEqual(checkIssuer(signed.certPem, surroundings(made)).problems, []);
    });
  }

  it("may have an issuer below another CA, whose certificate follows it", async () => {
    const middle = await testIssuer(anchor);
    const below = await testIssuer(middle);
    const chain = `${below.certPem}\n${middle.certPem}\n`;
    assert.deepEqual(checkIssuer(chain, surroundings(anchor)).problems, []);
  });

  it("may have its name as common name only, as step's profile intermediate-ca makes it", async () => {
    const named = await testIssuer(anchor, { dnsNames: undefined });
    assert.deepEqual(checkIssuer(named.certPem, surroundings(anchor)).problems, []);
  });

  it("may have the name that `linkerd install` gives an issuer of its own", async () => {
    const own = await testCertificate("identity.linkerd.");
    assert.deepEqual(checkIssuer(own.certPem, surroundings(own)).problems, []);
    const other = await testCertificate("identity.linkerd.other");
    assert.equal(checkIssuer(other.certPem, surroundings(other)).problems.length, 1);
  });

  it("may have been signed by any anchor of the bundle", async () => {
    const other = await testAnchor();
    assert.deepEqual(checkIssuer(issuer.certPem, surroundings(other, anchor)).problems, []);
  });

  it("are not looked for a signer in a bundle that could not be read", () => {
    const unknown = { anchors: undefined, trustDomain: undefined };
    assert.deepEqual(checkIssuer(issuer.certPem, unknown).problems, []);
  });

  it("tell which certificate of a chain is wrong", async () => {
    const middle = await testIssuer(anchor, { days: [-10, -1] });
    const below = await testIssuer(middle);
    const expired = middle.notAfter.toISOString().replace(".000Z", "Z");
    assert.deepEqual(checkIssuer(`${below.certPem}\n${middle.certPem}`, surroundings(anchor)).problems, [
      {
        path: "",
        rule: "must be valid now",
        found: `certificate 2 (CN=identity.linkerd.cluster.local) expired on ${expired}`,
      },
    ]);
  });

  it("may have text before them, and a key in any form that Linkerd reads", () => {
    assert.deepEqual(checkTrustAnchor(`subject=CN=root\r\n${anchor.certPem}\r\n\r\n`).problems, []);
    const { issuer: read } = checkIssuer(issuer.certPem, surroundings(anchor));
    assert.deepEqual(checkIssuerKey(issuer.keyPem, read), []);
    const sec1 = createPrivateKey(issuer.keyPem).export({ type: "sec1", format: "pem" });
    assert.deepEqual(checkIssuerKey(String(sec1), read), []);
  });

  describe("soon to expire", () => {
    const at = (certificate: TestCertificate, beforeEnd: number) =>
      checkTrustAnchor(certificate.certPem, new Date(certificate.notAfter.getTime() - beforeEnd));

    it("are warned of 60 days before, or when a fifth of a shorter life is left", async () => {
      const end = anchor.notAfter.toISOString().replace(".000Z", "Z");
      assert.deepEqual(at(anchor, 60 * DAY_MS).warnings, []);
      assert.deepEqual(at(anchor, 60 * DAY_MS - 1).warnings, [`expires on ${end}, in 59 days`]);

      const short = await testAnchor({ days: [0, 10] });
      const shortEnd = short.notAfter.toISOString().replace(".000Z", "Z");
      assert.deepEqual(at(short, 2 * DAY_MS).warnings, []);
      assert.deepEqual(at(short, 2 * DAY_MS - 1).warnings, [`expires on ${shortEnd}, in 47 hours`]);
    });

    it("are warned of where an issuer outlives what signed it", async () => {
      const short = await testAnchor({ days: [-100, 500] });
      const signed = await testIssuer(short, { days: [0, 600] });
      const [end, anchorEnd] = [signed, short].map(({ notAfter }) =>
        notAfter.toISOString().replace(".000Z", "Z"),
      );
      const { problems, warnings } = checkIssuer(signed.certPem, surroundings(short));
      assert.deepEqual(problems, []);
      assert.deepEqual(warnings, [
        `expires on ${end}, and CN=root.linkerd.cluster.local above it on ${anchorEnd}: no proxy trusts it from then on`,
      ]);
    });

    it("are refused in their last hour", () => {
      assert.deepEqual(at(anchor, HOUR_MS).problems, []);
      const [problem] = at(anchor, HOUR_MS - 1).problems;
      assert.equal(problem?.rule, "must be valid for another hour at least");
    });

    it("are named in the log with their key, and deployed", async () => {
      await pulumi.runtime.setMocks({ newResource: () => ({ id: "", state: {} }), call: () => ({}) });
      const old = await testIssuer(anchor, { days: [-300, 30.5] });
      const logged = await warningsOf(() =>
        read(
          {
            certificates: "provided",
            trustAnchors: [{ id: "2026", certificate: anchor.certPem }],
            issuerCertificate: old.certPem,
            issuerKey: old.keyPem,
          },
          ["linkerd-mtls:issuerKey"],
        ),
      );
      const end = old.notAfter.toISOString().replace(".000Z", "Z");
      assert.deepEqual(logged, [`linkerd-mtls:issuerCertificate expires on ${end}, in 30 days`]);
    });
  });
});
