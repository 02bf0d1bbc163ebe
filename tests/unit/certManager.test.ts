import assert from "node:assert/strict";

import {
  CertManager,
  type CertManagerArgs,
  type Rotation,
  TrustAnchor,
  type WebhookRotation,
  IdentityIssuer,
  WebhookCertificates,
} from "../../components";
import type { IssuerRef } from "../../components/certManager/resources";
import { describeFound, rotationProblems } from "../../components/rules";
import { MARK, namespaceMark, STACK } from "../support/mark";
import { record, type Recorded, type Recording } from "../support/recorder";

/** What each Certificate has cert-manager write on its Secret. */
const MARKED_SECRET = { secretTemplate: { annotations: MARK } };

/** What is created only when these Certificates of namespace linkerd are Ready. */
function gateOf(recording: Recording, name: string, ...certificates: string[]): Recorded {
  const gate = recording.get("RandomId", name);
  const { keepers } = gate.inputs as { keepers: { objects: string; specs: string } };
  assert.deepEqual(
    JSON.parse(keepers.objects),
    certificates.map((certificate) => ({
      apiVersion: "cert-manager.io/v1",
      kind: "Certificate",
      namespace: "linkerd",
      name: certificate,
    })),
  );
  assert.match(keepers.specs, /^[0-9a-f]{64}$/);
  assert.deepEqual(gate.hooks, { beforeCreate: [name], beforeUpdate: [] });
  return gate;
}

describe("CertManager", () => {
  const deploy = (args: Partial<CertManagerArgs> = {}): Promise<Recording> =>
    record(() => new CertManager("cm", { cluster: {}, ...args }));

  it("is an awaited release in a namespace that Linkerd's webhooks leave alone", async () => {
    const recording = await deploy();
    assert.deepEqual(recording.get("Namespace", "cm-namespace").inputs.metadata, {
      name: "cert-manager",
      labels: { "config.linkerd.io/admission-webhooks": "disabled" },
      annotations: namespaceMark("cm-namespace"),
    });
    assert.deepEqual(recording.get("Release", "cm-release").inputs, {
      compat: "true",
      chart: "cert-manager",
      version: "v1.20.2",
      repositoryOpts: { repo: "https://charts.jetstack.io" },
      name: "cert-manager",
      namespace: "cert-manager",
      createNamespace: false,
      description: `deployed by stack ${STACK}`,
      timeout: 600,
      disableOpenapiValidation: true,
      maxHistory: 10,
      values: {
        crds: { enabled: true, keep: false },
        global: { leaderElection: { namespace: "cert-manager" } },
        replicaCount: 1,
        webhook: { replicaCount: 1 },
        cainjector: { replicaCount: 1 },
      },
    });
  });

  it("is highly available, with the values of its release", async () => {
    const budget = { podDisruptionBudget: { enabled: true } };
    const values = async (version: string): Promise<unknown> =>
      (await deploy({ version, highAvailability: true, namespace: "certs" })).get("Release", "cm-release")
        .inputs.values;
    const global = { leaderElection: { namespace: "certs" } };
    assert.deepEqual(await values("v1.15.0"), {
      crds: { enabled: true, keep: false },
      global,
      replicaCount: 2,
      ...budget,
      webhook: { replicaCount: 3, ...budget },
      cainjector: { replicaCount: 2, ...budget },
    });
    assert.deepEqual(await values("v1.14.7"), {
      installCRDs: true,
      global,
      replicaCount: 2,
      webhook: { replicaCount: 3 },
      cainjector: { replicaCount: 2 },
    });
  });
});

describe("IdentityIssuer, issued by cert-manager", () => {
  const deploy = (source?: IssuerRef, rotation?: Partial<Rotation>): Promise<Recording> =>
    record(() => {
      const { signer } = new TrustAnchor("anchor");
      assert.ok(signer);
      const { secretName } = new IdentityIssuer("identity", {
        namespace: "linkerd",
        trustDomain: "example.org",
        trustBundlePem: "bundle",
        source: { issuedBy: source ?? signer, ...rotation },
        cluster: {},
      });
      return { secretName };
    });

  it("gives cert-manager the anchor, and waits for the issuer that it renews", async () => {
    const recording = await deploy();
    const anchor = `${recording.pems.get("anchor-certificate")?.trim() ?? ""}\n`;
    const secret = recording.get("Secret", "identity-trust-anchor-secret");
    assert.deepEqual(secret.inputs, {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "linkerd-trust-anchor", namespace: "linkerd" },
      type: "kubernetes.io/tls",
      stringData: { "tls.crt": anchor, "tls.key": "key of anchor-key\n" },
    });
    assert.deepEqual(secret.secretInputs, ["stringData"]);
    const issuer = recording.get("Issuer", "identity-trust-anchor");
    assert.deepEqual(issuer.inputs, {
      apiVersion: "cert-manager.io/v1",
      kind: "Issuer",
      metadata: { name: "linkerd-trust-anchor", namespace: "linkerd" },
      spec: { ca: { secretName: "linkerd-trust-anchor" } },
    });
    const certificate = recording.get("Certificate", "identity-certificate");
    const { spec, ...object } = certificate.inputs;
    assert.deepEqual(object, {
      apiVersion: "cert-manager.io/v1",
      kind: "Certificate",
      metadata: { name: "linkerd-identity-issuer", namespace: "linkerd" },
    });
    const { subject, ...rest } = spec as { subject: { serialNumber: string } };
    assert.match(subject.serialNumber, /^[0-9a-f]{16}$/);
    assert.deepEqual(rest, {
      secretName: "linkerd-identity-issuer",
      ...MARKED_SECRET,
      duration: "48h0m0s",
      renewBefore: "25h0m0s",
      issuerRef: { name: "linkerd-trust-anchor", kind: "Issuer", group: "cert-manager.io" },
      commonName: "identity.linkerd.example.org",
      dnsNames: ["identity.linkerd.example.org", "renewed.identity.linkerd.example.org"],
      isCA: true,
      privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Always" },
      usages: ["cert sign", "crl sign", "server auth", "client auth"],
    });
    assert.ok(recording.isAfter(issuer, secret));
    assert.ok(recording.isAfter(certificate, issuer));
    const accepted = { beforeCreate: ["identity-accepted"], beforeUpdate: ["identity-accepted"] };
    assert.deepEqual([issuer.hooks, certificate.hooks], [accepted, accepted]);
    assert.ok(recording.isAfter(gateOf(recording, "identity-ready", "linkerd-identity-issuer"), certificate));
    assert.deepEqual(recording.outputs, { secretName: "linkerd-identity-issuer" });
  });

  it("waits again when another certificate is asked for, and only then", async () => {
    const specs = async (rotation?: Partial<Rotation>): Promise<unknown> => {
      const recording = await deploy({ name: "vault" }, rotation);
      return recording.get("RandomId", "identity-ready").inputs.keepers;
    };
    assert.deepEqual(await specs(), await specs());
    assert.notDeepEqual(await specs(), await specs({ duration: "72h" }));
  });

  it("takes an issuer that exists, and gives it no key", async () => {
    const recording = await deploy({ name: "vault", kind: "ClusterIssuer" });
    const { spec } = recording.get("Certificate", "identity-certificate").inputs;
    const { issuerRef, subject } = spec as { issuerRef: unknown; subject: unknown };
    assert.deepEqual(issuerRef, { name: "vault", kind: "ClusterIssuer", group: "cert-manager.io" });
    assert.equal(subject, undefined);
    assert.ok(!recording.names().some((name) => /Issuer identity-trust|Secret/.test(name)));
  });

  it("refuses a renewal that makes no sense", async () => {
    await assert.rejects(deploy(undefined, { renewBefore: "48h" }), {
      errors: [
        {
          propertyPath: "source.renewBefore",
          reason: 'must be less than duration (48h (2 days)), but is "48h"',
        },
      ],
    });
  });
});

describe("WebhookCertificates, issued by cert-manager", () => {
  const deploy = (rotation: WebhookRotation = {}): Promise<Recording> =>
    record(() => {
      const { trust } = new WebhookCertificates("webhooks", {
        namespace: "linkerd",
        services: ["linkerd-sp-validator"],
        webhookRotation: rotation,
        cluster: {},
      });
      return { trust };
    });

  it("gives cert-manager the CA, and the API server the same", async () => {
    const recording = await deploy();
    const secret = recording.get("Secret", "webhooks-issuer-secret");
    assert.deepEqual(secret.inputs.metadata, {
      name: "webhook-issuer-tls",
      namespace: "linkerd",
      annotations: {
        "pulumi.com/patchForce": "true",
        "cert-manager.io/issuer-name": "linkerd-mtls",
        "linkerd-mtls/renewed": "never",
      },
    });
    assert.deepEqual(secret.inputs.stringData, {
      "tls.crt": recording.pems.get("webhooks-ca-certificate"),
      "tls.key": "key of webhooks-ca-key",
    });
    assert.deepEqual(secret.secretInputs, ["stringData"]);
    assert.deepEqual(secret.ignoreChanges, []);
    assert.deepEqual(recording.get("Issuer", "webhooks-issuer").inputs.spec, {
      ca: { secretName: "webhook-issuer-tls" },
    });
    const certificate = recording.get("Certificate", "webhooks-linkerd-sp-validator-certificate");
    assert.deepEqual(certificate.inputs, {
      apiVersion: "cert-manager.io/v1",
      kind: "Certificate",
      metadata: { name: "linkerd-sp-validator", namespace: "linkerd" },
      spec: {
        secretName: "linkerd-sp-validator-k8s-tls",
        ...MARKED_SECRET,
        duration: "24h0m0s",
        renewBefore: "1h0m0s",
        issuerRef: { name: "webhook-issuer", kind: "Issuer", group: "cert-manager.io" },
        commonName: "linkerd-sp-validator.linkerd.svc",
        dnsNames: ["linkerd-sp-validator.linkerd.svc", "renewed.linkerd-sp-validator.linkerd.svc"],
        privateKey: { algorithm: "ECDSA", size: 256, encoding: "PKCS8", rotationPolicy: "Always" },
        usages: ["server auth"],
      },
    });
    assert.ok(recording.isAfter(certificate, recording.get("Issuer", "webhooks-issuer")));
    assert.ok(recording.isAfter(certificate, secret));
    assert.ok(recording.isAfter(gateOf(recording, "webhooks-ready", "linkerd-sp-validator"), certificate));
    assert.deepEqual(recording.outputs, {
      trust: { "linkerd-sp-validator": { caBundle: recording.pems.get("webhooks-ca-certificate") } },
    });
  });

  it("has the CA renewed under its key, and injected", async () => {
    const recording = await deploy({ caRotation: { duration: "8760h", renewBefore: "2160h" } });
    const secret = recording.get("Secret", "webhooks-issuer-secret");
    assert.deepEqual(secret.ignoreChanges, ["data", "stringData"]);
    assert.deepEqual(recording.get("Issuer", "webhooks-ca-issuer").inputs.spec, { selfSigned: {} });
    const ca = recording.get("Certificate", "webhooks-ca-renewal");
    assert.deepEqual(ca.inputs.spec, {
      secretName: "webhook-issuer-tls",
      ...MARKED_SECRET,
      duration: "8760h0m0s",
      renewBefore: "2160h0m0s",
      issuerRef: { name: "webhook-issuer-ca", kind: "Issuer", group: "cert-manager.io" },
      commonName: "webhook-issuer.linkerd",
      dnsNames: ["renewed.webhook-issuer.linkerd"],
      isCA: true,
      privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Never" },
      usages: ["cert sign", "crl sign"],
    });
    assert.ok(recording.isAfter(ca, secret));
    const renewed = gateOf(recording, "webhooks-ca-ready", "webhook-issuer");
    assert.ok(recording.isAfter(renewed, ca));
    assert.ok(recording.isAfter(recording.get("Issuer", "webhooks-issuer"), renewed));
    assert.deepEqual(recording.outputs, {
      trust: { "linkerd-sp-validator": { injectCaFrom: "linkerd/linkerd-sp-validator" } },
    });
  });

  it("refuses a certificate that outlives its CA", async () => {
    await assert.rejects(deploy({ duration: "24h", caRotation: { duration: "48h", renewBefore: "12h" } }), {
      errors: [
        {
          propertyPath: "webhookRotation.duration",
          reason: 'must be at most 12h, the time for which a CA stays valid after its renewal, but is "24h"',
        },
      ],
    });
  });
});

describe("WebhookCertificates, whoever issues them", () => {
  const deploy = (rotating: boolean): Promise<Recording> =>
    record(() => {
      new WebhookCertificates("webhooks", {
        namespace: "linkerd",
        services: ["tap"],
        webhookCertificates: { generation: 2 },
        webhookRotation: rotating ? {} : undefined,
        cluster: {},
      });
    });

  it("keep their CA", async () => {
    const [here, there] = [await deploy(false), await deploy(true)];
    for (const recording of [here, there]) {
      assert.ok(recording.get("SelfSignedCert", "webhooks-ca-certificate"));
    }
    assert.equal(here.get("PrivateKey", "webhooks-tap-key").replacementTrigger, 2);
    assert.ok(!here.names().some((name) => name.includes(":Certificate ")));
    assert.ok(there.get("Certificate", "webhooks-tap-certificate"));
    assert.ok(!there.names().some((name) => name.includes("LocallySignedCert")));
  });
});

describe("rotationProblems", () => {
  const found = (rotation: Rotation, limits = {}): string[] =>
    rotationProblems(rotation, limits).map(
      ({ path, rule, found: is, fixes }) =>
        `${path} ${rule}, but ${describeFound(is)} (${(fixes ?? []).map((fix) => ("to" in fix ? fix.to : "")).join()})`,
    );
  const signs = { seconds: 86_400, what: "what it signs" };

  it("lets the documented rotations pass", () => {
    assert.deepEqual(found({ duration: "48h", renewBefore: "25h" }, { signs }), []);
    assert.deepEqual(found({ duration: "24h", renewBefore: "1h" }), []);
    assert.deepEqual(found({ duration: "1h", renewBefore: "5m" }), []);
  });

  it("computes when a renewal is too early or too late", () => {
    assert.deepEqual(found({ duration: "8760h", renewBefore: "7320h" }), [
      'renewBefore must be at most three quarters of duration (8760h (365 days)), but is "7320h": each certificate ' +
        "would be renewed 1440h (60 days) after its issue, 7320h (305 days) before its end (4380h)",
    ]);
    assert.deepEqual(found({ duration: "8760h", renewBefore: "1h" }), [
      'renewBefore must be at least a fiftieth of duration (8760h (365 days)), but is "1h": each certificate ' +
        "would be renewed 8759h (365 days) after its issue, 1h before its end (4380h)",
    ]);
  });

  it("keeps cert-manager's minima and what signs and is signed", () => {
    assert.deepEqual(found({ duration: "3m", renewBefore: "1m" }), [
      'duration must be 1h or more, which is cert-manager\'s minimum, but is "3m" (48h)',
    ]);
    assert.deepEqual(found({ duration: "2h", renewBefore: "1m" }), [
      'renewBefore must be 5m or more, which is cert-manager\'s minimum, but is "1m" (1h)',
    ]);
    assert.deepEqual(found({ duration: "24h", renewBefore: "12h" }, { signs }), [
      'duration must be 25h or more, an hour beyond what it signs, but is "24h" (50h)',
    ]);
    const signedBy = { seconds: 36_000, what: "its signer's validity" };
    assert.deepEqual(found({ duration: "24h", renewBefore: "12h" }, { signedBy }), [
      'duration must be at most 10h, its signer\'s validity, but is "24h" (10h)',
    ]);
  });

  for (const text of ["", "h", "48", "1.5h", "-1h", "1h 30m", "30m1h"]) {
    it(`takes ${JSON.stringify(text)} for no duration`, () => {
      assert.match(
        found({ duration: text, renewBefore: "1h" }).join(),
        /^duration must be a duration such as/,
      );
    });
  }
});
