import assert from "node:assert/strict";

import * as pulumi from "@pulumi/pulumi";

import {
  IdentityIssuer,
  type IssuanceArgs,
  TrustAnchor,
  trustBundle,
  WebhookCa,
  WebhookCertificate,
} from "../../components";
import { testCertificate } from "../support/certificates";
import { record } from "../support/recorder";

const TEN_YEARS = 87600;
const ONE_YEAR = 8760;

describe("TrustAnchor", () => {
  it("is a self-signed ECDSA P-256 CA for ten years", async () => {
    const recording = await record(() => new TrustAnchor("anchor"));
    assert.deepEqual(recording.get("PrivateKey", "anchor-key").inputs, {
      algorithm: "ECDSA",
      ecdsaCurve: "P256",
    });
    const certificate = recording.get("SelfSignedCert", "anchor-certificate");
    assert.deepEqual(certificate.inputs, {
      privateKeyPem: "key of anchor-key",
      subject: { commonName: "root.linkerd.cluster.local", serialNumber: "anchor-generation-hex" },
      isCaCertificate: true,
      setSubjectKeyId: true,
      allowedUses: ["cert_signing", "crl_signing"],
      validityPeriodHours: TEN_YEARS,
    });
    assert.deepEqual(certificate.secretInputs, ["privateKeyPem"]);
    assert.equal(certificate.parent, recording.get("TrustAnchor", "anchor").urn);
  });

  it("makes a new key and a new subject for each generation, and takes a validity", async () => {
    const recording = await record(() => new TrustAnchor("anchor", { generation: 3, validityHours: 24 }));
    assert.deepEqual(recording.get("RandomId", "anchor-generation").inputs, {
      byteLength: 8,
      keepers: { generation: "3" },
    });
    assert.equal(recording.get("PrivateKey", "anchor-key").replacementTrigger, 3);
    assert.equal(recording.get("SelfSignedCert", "anchor-certificate").inputs.validityPeriodHours, 24);
  });

  it("generates nothing where the certificate is brought, and then signs nothing", async () => {
    const recording = await record(() => {
      const anchor = new TrustAnchor("anchor", { certificate: "brought" });
      assert.equal(anchor.signer, undefined);
      return { certPem: anchor.certPem };
    });
    assert.deepEqual(recording.outputs, { certPem: "brought" });
    assert.deepEqual(recording.names(), [
      "pulumi:pulumi:Stack linkerd-mtls-test",
      "linkerd-mtls:index:TrustAnchor anchor",
    ]);
  });

  it("signs with a key that is brought, and keeps it secret", async () => {
    await record(async () => {
      const { signer } = new TrustAnchor("anchor", { certificate: "brought", privateKey: "its key" });
      assert.ok(signer);
      assert.equal(await pulumi.isSecret(signer.privateKeyPem), true);
      assert.equal(await pulumi.isSecret(signer.certPem), false);
    });
  });

  it("keeps its key secret", async () => {
    await record(async () => {
      const { signer } = new TrustAnchor("anchor");
      assert.ok(signer);
      assert.equal(await pulumi.isSecret(signer.privateKeyPem), true);
      assert.equal(await pulumi.isSecret(signer.certPem), false);
    });
  });

  for (const [property, value] of [
    ["generation", 0],
    ["generation", 1.5],
    ["validityHours", -1],
  ] as const) {
    it(`refuses ${property} ${value}`, async () => {
      await assert.rejects(
        record(() => new TrustAnchor("anchor", { [property]: value })),
        {
          errors: [{ propertyPath: property, reason: `must be a whole number, 1 or more, but is ${value}` }],
        },
      );
    });
  }
});

describe("trustBundle", () => {
  it("joins the anchors in order, each ending with one newline", async () => {
    const recording = await record(() => ({
      bundle: trustBundle([{ certPem: "b\n\n" }, { certPem: "a" }, { certPem: "  c\n" }]),
    }));
    assert.deepEqual(recording.outputs, { bundle: "b\na\nc\n" });
  });
});

describe("IdentityIssuer", () => {
  const args = { namespace: "linkerd", trustDomain: "example.org", trustBundlePem: "bundle" };

  it("is an intermediate CA for one year, signed by the anchor", async () => {
    const recording = await record(() => {
      const { signer } = new TrustAnchor("anchor");
      assert.ok(signer);
      new IdentityIssuer("issuer", { ...args, source: signer });
    });
    assert.deepEqual(recording.get("PrivateKey", "issuer-key").inputs, {
      algorithm: "ECDSA",
      ecdsaCurve: "P256",
    });
    assert.deepEqual(recording.get("CertRequest", "issuer-request").inputs, {
      privateKeyPem: "key of issuer-key",
      subject: { commonName: "identity.linkerd.example.org", serialNumber: "issuer-generation-hex" },
      dnsNames: ["identity.linkerd.example.org"],
    });
    const certificate = recording.get("LocallySignedCert", "issuer-certificate");
    assert.deepEqual(certificate.inputs, {
      certRequestPem: "request of issuer-request",
      caCertPem: recording.pems.get("anchor-certificate"),
      caPrivateKeyPem: "key of anchor-key",
      isCaCertificate: true,
      setSubjectKeyId: true,
      allowedUses: ["cert_signing", "crl_signing", "server_auth", "client_auth"],
      validityPeriodHours: ONE_YEAR,
    });
    assert.deepEqual(certificate.secretInputs, ["caPrivateKeyPem"]);
  });

  it("becomes the Secret that the identity controller mounts", async () => {
    const recording = await record(() => {
      const { signer } = new TrustAnchor("anchor");
      assert.ok(signer);
      const issuer = new IdentityIssuer("issuer", { ...args, source: signer });
      return { secretName: issuer.secretName };
    });
    const secret = recording.get("Secret", "issuer-secret");
    assert.deepEqual(secret.inputs, {
      apiVersion: "v1",
      kind: "Secret",
      metadata: {
        name: "linkerd-identity-issuer",
        namespace: "linkerd",
        annotations: { "pulumi.com/patchForce": "true", "cert-manager.io/issuer-name": "linkerd-mtls" },
      },
      type: "kubernetes.io/tls",
      stringData: {
        "tls.crt": `${recording.pems.get("issuer-certificate")?.trim() ?? ""}\n`,
        "tls.key": "key of issuer-key\n",
        "ca.crt": "bundle",
      },
    });
    assert.deepEqual(secret.secretInputs, ["stringData"]);
    assert.deepEqual(recording.outputs, { secretName: "linkerd-identity-issuer" });
  });

  it("takes an issuer that exists, and keeps its key secret even where it was not given as one", async () => {
    const { certPem, keyPem } = await testCertificate("issuer");
    const recording = await record(() => {
      new IdentityIssuer("issuer", { ...args, source: { certificate: certPem, privateKey: keyPem } });
    });
    const secret = recording.get("Secret", "issuer-secret");
    assert.deepEqual(secret.inputs.stringData, {
      "tls.crt": `${certPem.trim()}\n`,
      "tls.key": `${keyPem.trim()}\n`,
      "ca.crt": "bundle",
    });
    assert.deepEqual(secret.secretInputs, ["stringData"]);
    assert.deepEqual(recording.names().slice(1), [
      "linkerd-mtls:index:IdentityIssuer issuer",
      "kubernetes:core/v1:Secret issuer-secret",
    ]);
  });
});

describe("WebhookCa", () => {
  it("is a CA for ten years, named after its namespace", async () => {
    const recording = await record(() => {
      const { certPem } = new WebhookCa("ca", { namespace: "linkerd" });
      return { certPem };
    });
    assert.deepEqual(recording.get("PrivateKey", "ca-key").inputs, {
      algorithm: "ECDSA",
      ecdsaCurve: "P256",
    });
    const certificate = recording.get("SelfSignedCert", "ca-certificate");
    assert.deepEqual(certificate.inputs, {
      privateKeyPem: "key of ca-key",
      subject: { commonName: "webhook-issuer.linkerd" },
      isCaCertificate: true,
      setSubjectKeyId: true,
      allowedUses: ["cert_signing", "crl_signing"],
      validityPeriodHours: TEN_YEARS,
    });
    assert.deepEqual(certificate.secretInputs, ["privateKeyPem"]);
    assert.deepEqual(recording.outputs, { certPem: recording.pems.get("ca-certificate") });
  });
});

describe("WebhookCertificate", () => {
  const service = "linkerd-policy-validator";
  const namespace = "linkerd";
  const dnsName = "linkerd-policy-validator.linkerd.svc";
  const issue = (issuance: IssuanceArgs = {}): WebhookCertificate => {
    const { signer } = new WebhookCa("ca", { namespace });
    return new WebhookCertificate("webhook", { ...issuance, service, namespace, ca: signer });
  };

  it("is a certificate for one year, signed by the CA", async () => {
    const recording = await record(() => {
      const { trust, certPem, secretName } = issue();
      return { trust, certPem, secretName };
    });
    assert.deepEqual(recording.get("CertRequest", "webhook-request").inputs, {
      privateKeyPem: "key of webhook-key",
      subject: { commonName: dnsName, serialNumber: "webhook-generation-hex" },
      dnsNames: [dnsName],
    });
    const certificate = recording.get("LocallySignedCert", "webhook-certificate");
    assert.deepEqual(certificate.inputs, {
      certRequestPem: "request of webhook-request",
      caCertPem: recording.pems.get("ca-certificate"),
      caPrivateKeyPem: "key of ca-key",
      allowedUses: ["digital_signature", "server_auth"],
      validityPeriodHours: ONE_YEAR,
    });
    assert.deepEqual(certificate.secretInputs, ["caPrivateKeyPem"]);
    assert.deepEqual(recording.outputs, {
      trust: { caBundle: recording.pems.get("ca-certificate") },
      certPem: recording.pems.get("webhook-certificate"),
      secretName: "linkerd-policy-validator-k8s-tls",
    });
  });

  it("becomes a Secret with a PKCS#8 key", async () => {
    const recording = await record(() => issue());
    const secret = recording.get("Secret", "webhook-secret");
    assert.deepEqual(secret.inputs, {
      apiVersion: "v1",
      kind: "Secret",
      metadata: {
        name: "linkerd-policy-validator-k8s-tls",
        namespace: "linkerd",
        annotations: { "pulumi.com/patchForce": "true", "cert-manager.io/issuer-name": "linkerd-mtls" },
      },
      type: "kubernetes.io/tls",
      stringData: {
        "tls.crt": recording.pems.get("webhook-certificate"),
        "tls.key": "PKCS#8 key of webhook-key",
      },
    });
    assert.deepEqual(secret.secretInputs, ["stringData"]);
  });

  it("keeps its CA when it is issued anew", async () => {
    const recording = await record(() => issue({ generation: 2, validityHours: 48 }));
    assert.equal(recording.get("PrivateKey", "webhook-key").replacementTrigger, 2);
    assert.deepEqual(recording.get("RandomId", "webhook-generation").inputs.keepers, { generation: "2" });
    assert.equal(recording.get("LocallySignedCert", "webhook-certificate").inputs.validityPeriodHours, 48);
    assert.equal(recording.get("PrivateKey", "ca-key").replacementTrigger, undefined);
    assert.equal(recording.get("SelfSignedCert", "ca-certificate").inputs.validityPeriodHours, TEN_YEARS);
  });
});
