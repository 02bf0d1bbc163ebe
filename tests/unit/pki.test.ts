import assert from "node:assert/strict";

import * as pulumi from "@pulumi/pulumi";
import { unknown } from "@pulumi/pulumi/output";

import {
  IdentityIssuer,
  type IssuanceArgs,
  TrustAnchor,
  trustBundle,
  WebhookCertificates,
} from "../../components";
import { testCertificate } from "../support/certificates";
import { record, type Recording } from "../support/recorder";

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

  it("generates nothing where the certificate is provided, and signs nothing without its key", async () => {
    const recording = await record(() => {
      const anchor = new TrustAnchor("anchor", { certificate: "provided" });
      assert.equal(anchor.signer, undefined);
      return { certPem: anchor.certPem };
    });
    assert.deepEqual(recording.outputs, { certPem: "provided" });
    assert.deepEqual(recording.names(), [
      "pulumi:pulumi:Stack linkerd-mtls-test",
      "linkerd-mtls:index:TrustAnchor anchor",
    ]);
  });

  it("signs with a provided key, and keeps it secret", async () => {
    await record(async () => {
      const { signer } = new TrustAnchor("anchor", { certificate: "provided", privateKey: "its key" });
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

  const count = "must be a whole number, 1 or more";
  const hours = "must be a whole number of hours, 1 to 876000 (100 years)";
  for (const [property, value, rule] of [
    ["generation", 0, count],
    ["generation", 1.5, count],
    ["validityHours", -1, hours],
    ["validityHours", 876_001, hours],
  ] as const) {
    it(`refuses ${property} ${value}`, async () => {
      await assert.rejects(
        record(() => new TrustAnchor("anchor", { [property]: value })),
        {
          errors: [{ propertyPath: property, reason: `${rule}, but is ${value}` }],
        },
      );
    });
  }
});

describe("trustBundle", () => {
  it("joins the anchors in order, each ending with one newline", async () => {
    const recording = await record(() => ({
      bundle: trustBundle(["b\n\n", "a", "  c\n"]),
    }));
    assert.deepEqual(recording.outputs, { bundle: "b\na\nc\n" });
  });
});

describe("IdentityIssuer", () => {
  const args = { namespace: "linkerd", trustDomain: "example.org", trustBundlePem: "bundle", cluster: {} };

  it("is an intermediate CA for one year, signed by the anchor", async () => {
    const recording = await record(() => {
      const { signer } = new TrustAnchor("anchor");
      assert.ok(signer);
      new IdentityIssuer("issuer", { ...args, source: { signer } });
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
      const issuer = new IdentityIssuer("issuer", { ...args, source: { signer } });
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

  describe("below an anchor that ends soon", () => {
    /** What is said of an issuer before an anchor with 100 hours left signs it. */
    async function sign(validityPeriodHours: number, known = true): Promise<void> {
      const recording = await record(() => {
        const { signer } = new TrustAnchor("anchor");
        assert.ok(signer);
        new IdentityIssuer("issuer", { ...args, source: { signer } });
      });
      const [name = ""] = recording.get("LocallySignedCert", "issuer-certificate").hooks.beforeCreate;
      const hook = recording.hooks.get(name);
      assert.deepEqual(hook?.opts, { onDryRun: true });
      const { certPem } = await testCertificate("root", { days: [-10, 100.5 / 24] });
      const newInputs = { validityPeriodHours, caCertPem: known ? certPem : unknown };
      await hook.callback({ urn: "", id: "", name, type: "", newInputs });
    }

    it("is refused where it would outlive it", async () => {
      await assert.rejects(sign(8760), ({ message }: Error) => {
        assert.match(
          message,
          /^linkerd-mtls:issuer\.validityHours must be at most 100, what is left to its trust anchor \(CN=root, until .*Z\), but is 8760: /,
        );
        assert.match(message, /^ {4}pulumi config set --path linkerd-mtls:issuer\.validityHours 100$/m);
        return true;
      });
      await assert.rejects(sign(102), { message: /but is 102/ });
    });

    it("is signed where both end in the same hour, and while the anchor is yet to be made", async () => {
      await sign(101);
      await sign(8760, false);
    });
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

describe("WebhookCertificates", () => {
  const service = "linkerd-policy-validator";
  const namespace = "linkerd";
  const dnsName = "linkerd-policy-validator.linkerd.svc";
  const issue = (webhookCertificates?: IssuanceArgs): WebhookCertificates<typeof service> =>
    new WebhookCertificates("webhooks", { namespace, services: [service], webhookCertificates, cluster: {} });
  const child = (name: string): string => `webhooks-${service}-${name}`;

  it("have a CA for ten years, named after their namespace", async () => {
    const recording = await record(() => issue());
    assert.deepEqual(recording.get("PrivateKey", "webhooks-ca-key").inputs, {
      algorithm: "ECDSA",
      ecdsaCurve: "P256",
    });
    const certificate = recording.get("SelfSignedCert", "webhooks-ca-certificate");
    assert.deepEqual(certificate.inputs, {
      privateKeyPem: "key of webhooks-ca-key",
      subject: { commonName: "webhook-issuer.linkerd" },
      isCaCertificate: true,
      setSubjectKeyId: true,
      allowedUses: ["cert_signing", "crl_signing"],
      validityPeriodHours: TEN_YEARS,
    });
    assert.deepEqual(certificate.secretInputs, ["privateKeyPem"]);
  });

  it("are certificates for one year, signed by the CA", async () => {
    const recording = await record(() => {
      const { trust, certPems } = issue();
      return { trust, certPems };
    });
    assert.deepEqual(recording.get("CertRequest", child("request")).inputs, {
      privateKeyPem: `key of ${child("key")}`,
      subject: { commonName: dnsName, serialNumber: `${child("generation")}-hex` },
      dnsNames: [dnsName],
    });
    const certificate = recording.get("LocallySignedCert", child("certificate"));
    assert.deepEqual(certificate.inputs, {
      certRequestPem: `request of ${child("request")}`,
      caCertPem: recording.pems.get("webhooks-ca-certificate"),
      caPrivateKeyPem: "key of webhooks-ca-key",
      allowedUses: ["digital_signature", "server_auth"],
      validityPeriodHours: ONE_YEAR,
    });
    assert.deepEqual(certificate.secretInputs, ["caPrivateKeyPem"]);
    assert.deepEqual(recording.outputs, {
      trust: { [service]: { caBundle: recording.pems.get("webhooks-ca-certificate") } },
      certPems: { [service]: recording.pems.get(child("certificate")) },
    });
  });

  it("become Secrets with PKCS#8 keys", async () => {
    const recording = await record(() => issue());
    const secret = recording.get("Secret", child("secret"));
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
        "tls.crt": recording.pems.get(child("certificate")),
        "tls.key": `PKCS#8 key of ${child("key")}`,
      },
    });
    assert.deepEqual(secret.secretInputs, ["stringData"]);
  });

  it("do not outlive their CA", async () => {
    await assert.rejects(
      record(() => issue({ validityHours: TEN_YEARS + 1 })),
      {
        errors: [
          {
            propertyPath: "validityHours",
            reason: "must be a whole number of hours, 1 to 87600 (the validity of their CA), but is 87601",
          },
        ],
      },
    );
  });

  it("keep their CA when they are reissued", async () => {
    const recording = await record(() => issue({ generation: 2, validityHours: 48 }));
    assert.equal(recording.get("PrivateKey", child("key")).replacementTrigger, 2);
    assert.deepEqual(recording.get("RandomId", child("generation")).inputs.keepers, { generation: "2" });
    assert.equal(recording.get("LocallySignedCert", child("certificate")).inputs.validityPeriodHours, 48);
    assert.equal(recording.get("PrivateKey", "webhooks-ca-key").replacementTrigger, undefined);
    assert.equal(
      recording.get("SelfSignedCert", "webhooks-ca-certificate").inputs.validityPeriodHours,
      TEN_YEARS,
    );
  });
});

describe("a Secret that cert-manager may take over", () => {
  const deploy = (handover?: boolean): Promise<Recording> =>
    record(() => {
      const { signer } = new TrustAnchor("anchor");
      assert.ok(signer);
      const place = { namespace: "linkerd", handover, cluster: {} };
      new IdentityIssuer("issuer", {
        ...place,
        trustDomain: "example.org",
        trustBundlePem: "bundle",
        source: { signer },
      });
      new WebhookCertificates("webhooks", { ...place, services: ["tap"] });
    });

  for (const handover of [true, false]) {
    it(handover ? "stays for it" : "goes with its component, unless a takeover needs it", async () => {
      const recording = await deploy(handover);
      for (const name of ["issuer-secret", "webhooks-tap-secret"]) {
        assert.equal(recording.get("Secret", name).retainOnDelete, handover, name);
      }
    });
  }
});
