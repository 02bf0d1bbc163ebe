import assert from "node:assert/strict";

import * as pulumi from "@pulumi/pulumi";

import { testAnchor, testCertificate, type TestCertificate } from "../support/certificates";
import { problems, read, type Values } from "../support/readConfig";

const rotating = (values: Values): Values => ({ certificates: "cert-manager", ...values });

describe("configuration of cert-manager", () => {
  let anchor: TestCertificate;
  let other: TestCertificate;

  before(async () => {
    [anchor, other] = await Promise.all([
      testCertificate("root.linkerd.cluster.local"),
      testCertificate("root.linkerd.cluster.local"),
    ]);
  });

  it("has defaults", () => {
    assert.deepEqual(read(rotating({})).rotation, {
      certManager: {
        install: true,
        namespace: "cert-manager",
        chartSource: "https://charts.jetstack.io",
        version: "v1.20.2",
        highAvailability: false,
        deadlineSeconds: 300,
      },
      identity: { duration: "48h", renewBefore: "25h", issuerRef: undefined },
      webhooks: { duration: "24h", renewBefore: "1h" },
    });
  });

  it("reads every property", () => {
    const { rotation } = read(
      rotating({
        trustAnchors: [{ id: "a", certificate: anchor.certPem }],
        certManager: { install: false, namespace: "certs", highAvailability: true, deadlineSeconds: 5 },
        certManagerVersion: "v1.11.5",
        certManagerChartSource: "oci://registry.example.org",
        rotatingIdentity: {
          duration: "50h",
          renewBefore: "26h",
          issuerRef: { name: "vault", kind: "ClusterIssuer", group: "example.org" },
        },
        rotatingWebhooks: {
          duration: "12h",
          renewBefore: "90m",
          caInjection: true,
          caDuration: "100h",
          caRenewBefore: "50h",
        },
      }),
    );
    assert.deepEqual(rotation, {
      certManager: {
        install: false,
        namespace: "certs",
        chartSource: "oci://registry.example.org",
        version: "v1.11.5",
        highAvailability: true,
        deadlineSeconds: 5,
      },
      identity: {
        duration: "50h",
        renewBefore: "26h",
        issuerRef: { name: "vault", kind: "ClusterIssuer", group: "example.org" },
      },
      webhooks: {
        duration: "12h",
        renewBefore: "90m",
        caRotation: { duration: "100h", renewBefore: "50h" },
      },
    });
  });

  it("reads trust-manager, which is off by default", () => {
    const trustManager = (values: Values): unknown => read(rotating(values)).rotation?.trustManager;
    assert.equal(trustManager({}), undefined);
    assert.equal(trustManager({ trustManager: { namespace: "trust" } }), undefined);
    assert.deepEqual(trustManager({ trustManager: { enabled: true } }), {
      install: true,
      namespace: "trust-manager",
      version: "v0.25.0",
      chartSource: "https://charts.jetstack.io",
    });
    assert.deepEqual(
      trustManager({
        trustManager: { enabled: true, install: false, namespace: "trust" },
        trustManagerVersion: "v0.20.0",
        trustManagerChartSource: "oci://registry.example.org",
      }),
      {
        install: false,
        namespace: "trust",
        version: "v0.20.0",
        chartSource: "oci://registry.example.org",
      },
    );
    assert.equal(read({ trustManager: { enabled: true } }).rotation, undefined);
  });

  it("refuses to install them in a namespace that is something else's", () => {
    const both = (namespace: string): Values =>
      rotating({
        certManager: { namespace },
        trustManager: { enabled: true, namespace },
        sampleApplications: ["emojivoto"],
      });
    for (const [namespace, reason] of [
      ["linkerd", "it is Linkerd's"],
      ["linkerd-viz", "it is Linkerd's"],
      ["default", "Kubernetes makes it"],
      ["kube-system", "Kubernetes makes it"],
      ["emojivoto", "it belongs to a sample application"],
    ] as const) {
      const refusal = (key: string): string =>
        `linkerd-mtls:${key}.namespace must be another namespace (${reason}), but is "${namespace}"\n` +
        `    pulumi config set --path 'linkerd-mtls:${key}.namespace' <name>`;
      assert.deepEqual(problems(both(namespace)), [refusal("certManager"), refusal("trustManager")]);
      // Something else has put them there.
      read(rotating({ certManager: { install: false, namespace } }));
    }
    read(both("certs"));
    read(
      rotating({
        certManager: { install: false },
        trustManager: { enabled: true, namespace: "cert-manager" },
      }),
    );
  });

  it("refuses what is wrong of trust-manager", () => {
    assert.deepEqual(
      problems(
        rotating({
          trustManager: { enabled: "yes", namespace: "Trust", replicas: 2 },
          trustManagerVersion: "0.25.0",
        }),
      ),
      [
        "linkerd-mtls:trustManager.replicas must be one of enabled, install, namespace, but is unknown\n" +
          "    pulumi config rm --path 'linkerd-mtls:trustManager.replicas'",
        'linkerd-mtls:trustManager.enabled must be true or false, but is "yes"\n' +
          "    pulumi config set --path 'linkerd-mtls:trustManager.enabled' true",
        'linkerd-mtls:trustManager.namespace must be a DNS label, but is "Trust"\n' +
          "    pulumi config set --path 'linkerd-mtls:trustManager.namespace' trust-manager",
        'linkerd-mtls:trustManagerVersion must be v<major>.<minor>.<patch>, but is "0.25.0"\n' +
          "    pulumi config set linkerd-mtls:trustManagerVersion v0.25.0",
      ],
    );
    assert.match(
      problems(rotating({ trustManager: { enabled: true }, trustManagerChartSource: "./nowhere" })).join(),
      /^linkerd-mtls:trustManagerChartSource must hold the chart trust-manager where it is a directory, but /,
    );
  });

  it("has no effect without certificates=cert-manager", () => {
    const values = { rotatingIdentity: { duration: "48h", renewBefore: "47h" }, rotatingWebhooks: {} };
    assert.equal(read(values).rotation, undefined);
  });

  it("refuses wrong renewals with the times that they mean", () => {
    const found = problems(
      rotating({
        rotatingIdentity: { duration: "8760h", renewBefore: "7320h" },
        rotatingWebhooks: { duration: "24h", caInjection: true, caDuration: "48h", caRenewBefore: "12h" },
      }),
    );
    assert.deepEqual(found, [
      "linkerd-mtls:rotatingIdentity.renewBefore must be at most three quarters of duration (8760h (365 days)), but is " +
        '"7320h": each certificate would be renewed 1440h (60 days) after its issue, 7320h (305 days) before its end\n' +
        "    pulumi config set --path 'linkerd-mtls:rotatingIdentity.renewBefore' 4380h",
      "linkerd-mtls:rotatingWebhooks.duration must be at most 12h, the time for which a CA stays valid after its " +
        'renewal, but is "24h"\n' +
        "    pulumi config set --path 'linkerd-mtls:rotatingWebhooks.duration' 12h",
    ]);
  });

  it("keeps the issuer within its anchor and beyond the proxies' certificates", () => {
    const found = problems(
      rotating({
        trustAnchors: [{ id: "a", validityHours: 24 }],
        issuanceLifetime: "47h30m",
      }),
    );
    assert.deepEqual(found, [
      "linkerd-mtls:rotatingIdentity.duration must be 48h30m (2 days) or more, an hour beyond the life of a proxy's " +
        'certificate (issuanceLifetime), but is "48h"\n' +
        "    pulumi config set --path 'linkerd-mtls:rotatingIdentity.duration' 97h",
      'linkerd-mtls:rotatingIdentity.duration must be at most 24h, the validity of trust anchor a, but is "48h"\n' +
        "    pulumi config set --path 'linkerd-mtls:rotatingIdentity.duration' 24h",
    ]);
  });

  describe("with a provided anchor", () => {
    const provided = (key: TestCertificate): Values => ({
      trustAnchors: [{ id: "a", certificate: anchor.certPem }],
      trustAnchorKey: key.keyPem,
    });
    const SECRET = ["linkerd-mtls:trustAnchorKey"];

    it("signs with its key, which stays secret", async () => {
      const { trustAnchorKey } = read(provided(anchor), SECRET);
      assert.ok(trustAnchorKey);
      assert.equal(await pulumi.isSecret(pulumi.output(trustAnchorKey)), true);
    });

    it("makes no issuer that outlives its whole life", async () => {
      const short = await testAnchor({ days: [-5, 5] });
      const generated = {
        trustAnchors: [{ id: "a", certificate: short.certPem }],
        trustAnchorKey: short.keyPem,
      };
      assert.deepEqual(problems(generated, SECRET), [
        "linkerd-mtls:issuer.validityHours must be no longer than the validity of trust anchor a (240 hours), but is " +
          "8760\n    pulumi config set --path 'linkerd-mtls:issuer.validityHours' 240",
      ]);
      assert.equal(read({ ...generated, issuer: { validityHours: 240 } }, SECRET).issuer.validityHours, 240);
    });

    it("refuses the key in plaintext, and that of another", () => {
      const fix = "\n    pulumi config set --secret linkerd-mtls:trustAnchorKey < ca.key";
      assert.deepEqual(problems(provided(anchor)), [
        `linkerd-mtls:trustAnchorKey must be a secret, but is in plaintext${fix}`,
      ]);
      assert.deepEqual(problems(provided(other), SECRET), [
        "linkerd-mtls:trustAnchorKey must be the PEM of the signing anchor's private key, but it belongs to another " +
          `certificate${fix}`,
      ]);
    });

    it("checks the key as that of an issuer", () => {
      const withKey = (trustAnchorKey: string): string[] => {
        return problems({ ...provided(anchor), trustAnchorKey }, SECRET).map((problem) =>
          problem.replace(/^.*private key, but /, "").replace(/\n.*/, ""),
        );
      };
      const { keyPem, certPem } = anchor;
      assert.deepEqual(
        [
          `${keyPem}\n${keyPem}`,
          keyPem.replaceAll("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
          keyPem.replaceAll("PRIVATE KEY", "EC PRIVATE KEY"),
          keyPem.replaceAll("\n", ""),
          certPem,
        ].flatMap(withKey),
        [
          "it has 2 PEM blocks (PRIVATE KEY, PRIVATE KEY)",
          "it is encrypted with a passphrase",
          "its PEM block EC PRIVATE KEY has a key in another form",
          "a PEM block begins or ends in the middle of a line",
          "it is a PEM block CERTIFICATE",
        ],
      );
    });

    it("refuses a key that nothing uses", () => {
      assert.deepEqual(problems({ trustAnchorKey: anchor.keyPem }, SECRET), [
        "linkerd-mtls:trustAnchorKey must be set only where the signing anchor has a certificate and signs here, but " +
          "is set\n    pulumi config rm linkerd-mtls:trustAnchorKey",
      ]);
    });
  });
});
