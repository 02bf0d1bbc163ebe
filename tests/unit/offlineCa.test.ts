import "reflect-metadata";

import assert from "node:assert/strict";
import { createPrivateKey, webcrypto, X509Certificate } from "node:crypto";

import * as x509 from "@peculiar/x509";

import {
  checkIssuer,
  checkIssuerKey,
  checkTrustAnchor,
} from "../../components/certificates/certificateRules";
import { type Authority, makeAnchor, makeIssuer } from "../../tools/offlineCa/authority";
import { lacksProvided } from "../../tools/shared/stackFile";

const HOUR_MS = 3600 * 1000;
const { keyCertSign, cRLSign } = x509.KeyUsageFlags;

/** What a certificate says of itself. */
function contents({ certificate }: Authority): object {
  const parsed = new x509.X509Certificate(certificate);
  const constraints = parsed.getExtension(x509.BasicConstraintsExtension);
  const usages = parsed.getExtension(x509.KeyUsagesExtension);
  const names = parsed.getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? [];
  return {
    subject: parsed.subject,
    issuer: parsed.issuer,
    constraints: [constraints?.ca, constraints?.pathLength, constraints?.critical],
    usages: [usages?.usages, usages?.critical],
    names: names.map(({ type, value }) => [type, value]),
    hours: Math.round((parsed.notAfter.getTime() - Date.now()) / HOUR_MS),
    begun: parsed.notBefore.getTime() < Date.now() - 50_000,
    keyIdentifiers: [
      parsed.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId,
      parsed.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId,
    ],
  };
}

describe("the offline CA", () => {
  const trustDomain = "mesh.example";
  let anchor: Authority;
  let issuer: Authority;

  before(async () => {
    anchor = await makeAnchor({ trustDomain, validityHours: 1000 });
    issuer = await makeIssuer(anchor, { trustDomain, validityHours: 100 });
  });

  it("makes an anchor that signs itself, and issuers below it", () => {
    const { keyIdentifiers, ...rest } = contents(anchor) as { keyIdentifiers: string[] };
    assert.match(keyIdentifiers[0] ?? "", /^[0-9a-f]{40}$/);
    assert.equal(keyIdentifiers[1], undefined);
    assert.deepEqual(rest, {
      subject: "CN=root.linkerd.mesh.example",
      issuer: "CN=root.linkerd.mesh.example",
      constraints: [true, 1, true],
      usages: [keyCertSign | cRLSign, true],
      names: [],
      hours: 1000,
      begun: true,
    });
  });

  it("makes an issuer that signs nothing but the proxies' certificates", () => {
    const { keyIdentifiers, ...rest } = contents(issuer) as { keyIdentifiers: string[] };
    assert.equal(keyIdentifiers[1], (contents(anchor) as { keyIdentifiers: string[] }).keyIdentifiers[0]);
    assert.deepEqual(rest, {
      subject: "CN=identity.linkerd.mesh.example",
      issuer: "CN=root.linkerd.mesh.example",
      constraints: [true, 0, true],
      usages: [keyCertSign | cRLSign, true],
      names: [["dns", "identity.linkerd.mesh.example"]],
      hours: 100,
      begun: true,
    });
  });

  it("makes what the program takes, with keys ECDSA P-256 that fit", () => {
    const found = checkTrustAnchor(anchor.certificate);
    assert.deepEqual([found.problems, found.warnings], [[], []]);
    const issued = checkIssuer(issuer.certificate, { anchors: found.anchor && [found.anchor], trustDomain });
    assert.deepEqual([issued.problems, issued.warnings], [[], []]);
    assert.deepEqual(checkIssuerKey(issuer.key, issued.issuer), []);
    for (const { certificate, key } of [anchor, issuer]) {
      const parsed = createPrivateKey(key);
      assert.equal(parsed.asymmetricKeyDetails?.namedCurve, "prime256v1");
      assert(new X509Certificate(certificate).checkPrivateKey(parsed));
    }
  });

  it("signs with an anchor's key in the older form too", async () => {
    const key = createPrivateKey(anchor.key).export({ type: "sec1", format: "pem" }).toString();
    const { certificate } = await makeIssuer({ ...anchor, key }, { trustDomain, validityHours: 10 });
    assert(new X509Certificate(certificate).verify(new X509Certificate(anchor.certificate).publicKey));
  });

  it("names the anchor as it names itself, byte by byte, because Go compares names so", async () => {
    // openssl writes a UTF8String, and the library a PrintableString.
    const keys = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
      "sign",
      "verify",
    ]);
    const own = await x509.X509CertificateGenerator.createSelfSigned({
      // The library's types leave the encodings out.
      name: [{ CN: [{ utf8String: `root.linkerd.${trustDomain}` } as never] }],
      keys,
      signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
      notBefore: new Date(Date.now() - HOUR_MS),
      notAfter: new Date(Date.now() + 1000 * HOUR_MS),
      extensions: [
        new x509.BasicConstraintsExtension(true, 1, true),
        new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
      ],
    });
    const certificate = own.toString("pem");
    const key = x509.PemConverter.encode(
      await webcrypto.subtle.exportKey("pkcs8", keys.privateKey),
      "PRIVATE KEY",
    );
    const signed = await makeIssuer({ certificate, key }, { trustDomain, validityHours: 10 });
    const { issuerName } = new x509.X509Certificate(signed.certificate);
    assert.deepEqual(Buffer.from(issuerName.toArrayBuffer()), Buffer.from(own.subjectName.toArrayBuffer()));

    const reencoded = await x509.X509CertificateGenerator.create({
      subject: `CN=identity.linkerd.${trustDomain}`,
      issuer: own.subject,
      publicKey: keys.publicKey as never,
      signingKey: keys.privateKey,
      signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
      notBefore: new Date(Date.now() - HOUR_MS),
      notAfter: new Date(Date.now() + 10 * HOUR_MS),
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.SubjectAlternativeNameExtension([{ type: "dns", value: `identity.linkerd.${trustDomain}` }]),
      ],
    });
    const { anchor: parsed } = checkTrustAnchor(certificate);
    const surroundings = { anchors: parsed && [parsed], trustDomain };
    assert.deepEqual(checkIssuer(signed.certificate, surroundings).problems, []);
    const [problem] = checkIssuer(reencoded.toString("pem"), surroundings).problems;
    assert.equal(
      problem?.found,
      `was signed by CN=root.linkerd.${trustDomain}, which the bundle has in another encoding`,
    );
  });

  it("refuses an issuer that would outlive its anchor", async () => {
    await assert.rejects(makeIssuer(anchor, { trustDomain, validityHours: 1001 }), {
      message: "the issuer would be valid for 1001 hours, and its trust anchor ends in 999",
      remedy: "--issuer-validity-hours 999",
    });
  });

  it("refuses an anchor that the program would not take", async () => {
    await assert.rejects(makeIssuer(issuer, { trustDomain, validityHours: 10 }), {
      message: "what would be set is not accepted: it must allow 1 CA below it (path length), but allows 0",
    });
  });
});

describe("what a sandbox misses of provided certificates", () => {
  const complete = {
    "linkerd-mtls:certificates": "provided",
    "linkerd-mtls:trustAnchors": [{ id: "a", certificate: "PEM" }],
    "linkerd-mtls:issuerCertificate": "PEM",
    "linkerd-mtls:issuerKey": { secure: "v1:..." },
  };

  it("is seen for each of them, and only where they are wanted", () => {
    const without = (key: string) =>
      Object.fromEntries(Object.entries(complete).filter(([name]) => name !== `linkerd-mtls:${key}`));
    assert.equal(lacksProvided(complete), false);
    assert.equal(lacksProvided(without("issuerCertificate")), true);
    assert.equal(lacksProvided(without("issuerKey")), true);
    assert.equal(lacksProvided({ ...complete, "linkerd-mtls:trustAnchors": [{ id: "a" }] }), true);
    assert.equal(lacksProvided({ "linkerd-mtls:certificates": "generated" }), false);
    assert.equal(lacksProvided({}), false);
  });
});
