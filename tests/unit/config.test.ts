import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as pulumi from "@pulumi/pulumi";

import { KEYS } from "../../config/keys";
import { problems, read, Values } from "../support/readConfig";
import { projectConfig } from "../support/stackConfig";
import { TestCertificate, testAnchor, testCertificate, testIssuer } from "../support/certificates";

describe("configuration", () => {
  let anchor: TestCertificate;
  let issuer: TestCertificate;
  let leaf: TestCertificate;

  before(async () => {
    await pulumi.runtime.setMocks(
      { newResource: () => ({ id: "", state: {} }), call: () => ({}) },
      "linkerd-mtls",
      "test",
    );
    anchor = await testAnchor();
    issuer = await testIssuer(anchor);
    leaf = await testCertificate("leaf", { signer: anchor, isCa: false });
  });

  const provided = (): Values => ({
    certificates: "provided",
    trustAnchors: [{ id: "2026", certificate: anchor.certPem }],
    issuerCertificate: issuer.certPem,
    issuerKey: issuer.keyPem,
  });
  const SECRET = ["linkerd-mtls:issuerKey"];

  it("has the keys that Pulumi.yaml declares, each with the same default", () => {
    const declared = Object.entries(projectConfig()).filter(([key]) => !key.includes(":"));
    assert.deepEqual(
      declared.map(([key, value]) => [key, value.default]),
      Object.entries(KEYS).map(([key, { fallback }]) => [key, fallback]),
    );
  });

  it("has the defaults that Pulumi.yaml declares", () => {
    const defaults = Object.fromEntries(
      Object.entries(projectConfig())
        .filter(([key]) => !key.includes(":"))
        .map(([key, declared]) => [key, declared.default]),
    );
    const fromProject = read(defaults);
    assert.deepEqual(read({}), fromProject);
    assert.deepEqual(fromProject, {
      charts: { version: "edge-26.6.3", source: "https://helm.linkerd.io/edge" },
      trustDomain: "cluster.local",
      acceptOutage: undefined,
      trustAnchors: [
        { id: "primary", certificate: undefined, generation: undefined, validityHours: undefined },
      ],
      signingAnchor: "primary",
      trustAnchorKey: undefined,
      issuanceLifetime: 86_400,
      rotation: undefined,
      issuer: { generation: undefined, validityHours: undefined },
      providedIssuer: undefined,
      webhookCertificates: {
        generation: undefined,
        validityHours: undefined,
        cas: undefined,
        signingCa: undefined,
      },
      guardMode: "deny",
      gateDeadlineSeconds: 300,
      gateNamespace: undefined,
      controlPlane: {
        highAvailability: false,
        webhookFailurePolicy: "Ignore",
        opaquePorts: undefined,
        proxyInit: undefined,
        imageRegistry: undefined,
        imagePullSecrets: undefined,
      },
      protect: false,
      rolls: undefined,
      cniEnabled: false,
      labelKubeSystem: false,
      viz: undefined,
      monitoring: undefined,
      values: {},
      sampleApplications: [],
      namespaces: [],
      cluster: { kubeconfig: undefined, context: undefined },
    });
  });

  it("reads every key", () => {
    assert.deepEqual(
      read({
        linkerdVersion: "edge-26.8.3",
        chartSource: "oci://registry.example.org/linkerd",
        trustDomain: "example.org",
        trustAnchors: [
          { id: "2027", generation: 2, validityHours: 100 },
          { id: "2026", certificate: anchor.certPem },
        ],
        signingAnchor: "2027",
        acceptOutage: "0123456789ab",
        rolls: { workloads: ["StatefulSet shop/db"], percent: 10, deadlineSeconds: 60 },
        issuanceLifetime: "1h30m",
        issuer: { generation: 3, validityHours: 48 },
        webhookCertificates: { generation: 4, validityHours: 24, cas: [1, 2], signingCa: 2 },
        guardMode: "audit",
        gateDeadlineSeconds: 20,
        gateNamespace: "probes",
        highAvailability: true,
        webhookFailurePolicy: "Fail",
        opaquePorts: [3306, "4444-4445"],
        proxyInit: {
          iptablesMode: "legacy",
          runAsRoot: true,
          ignoreInboundPorts: [4567],
          ignoreOutboundPorts: ["4567-4568"],
        },
        imageRegistry: "registry.example.org:5000/linkerd",
        imagePullSecrets: ["registry"],
        protect: true,
        cniEnabled: true,
        labelKubeSystem: true,
        viz: {
          enabled: true,
          enforcedHostRegexp: ".*",
          prometheusUrl: "http://prometheus:9090",
          highAvailability: true,
        },
        monitoring: {
          enabled: true,
          namespace: "monitoring",
          labels: { release: "prometheus" },
          runbookUrl: "https://example.org",
        },
        values: { "linkerd-viz": { dashboard: { replicas: 2 } } },
        sampleApplications: ["shop", "hello-world", "shop"],
        namespaces: [{ name: "users" }],
        "kubernetes:kubeconfig": "/kubeconfig",
        "kubernetes:context": "sandbox",
      }),
      {
        charts: { version: "edge-26.8.3", source: "oci://registry.example.org/linkerd" },
        acceptOutage: "0123456789ab",
        rolls: { workloads: ["StatefulSet shop/db"], percent: 10, deadlineSeconds: 60 },
        trustDomain: "example.org",
        trustAnchors: [
          { id: "2027", certificate: undefined, generation: 2, validityHours: 100 },
          { id: "2026", certificate: anchor.certPem, generation: undefined, validityHours: undefined },
        ],
        signingAnchor: "2027",
        trustAnchorKey: undefined,
        issuanceLifetime: 5400,
        rotation: undefined,
        issuer: { generation: 3, validityHours: 48 },
        providedIssuer: undefined,
        webhookCertificates: { generation: 4, validityHours: 24, cas: [1, 2], signingCa: 2 },
        guardMode: "audit",
        gateDeadlineSeconds: 20,
        gateNamespace: "probes",
        controlPlane: {
          highAvailability: true,
          webhookFailurePolicy: "Fail",
          opaquePorts: [3306, "4444-4445"],
          proxyInit: {
            iptablesMode: "legacy",
            runAsRoot: true,
            ignoreInboundPorts: [4567],
            ignoreOutboundPorts: ["4567-4568"],
          },
          imageRegistry: "registry.example.org:5000/linkerd",
          imagePullSecrets: ["registry"],
        },
        protect: true,
        cniEnabled: true,
        labelKubeSystem: true,
        viz: { enforcedHostRegexp: ".*", prometheusUrl: "http://prometheus:9090", highAvailability: true },
        monitoring: {
          namespace: "monitoring",
          labels: { release: "prometheus" },
          runbookUrl: "https://example.org",
        },
        values: { "linkerd-viz": { dashboard: { replicas: 2 } } },
        sampleApplications: ["shop", "hello-world"],
        namespaces: [
          {
            name: "users",
            existing: false,
            inject: "enabled",
            podSecurity: undefined,
            proxy: undefined,
            workloads: [],
            authorization: [],
          },
        ],
        cluster: { kubeconfig: "/kubeconfig", context: "sandbox" },
      },
    );
  });

  it("reports several problems together", () => {
    assert.deepEqual(
      problems({
        guardMode: "off",
        gateDeadlineSeconds: "soon",
        linkerdVersion: "stable-2.14.10",
        colour: "red",
      }),
      [
        `linkerd-mtls:colour must be one of ${Object.keys(KEYS).join(", ")}, but is unknown\n` +
          "    pulumi config rm linkerd-mtls:colour",
        'linkerd-mtls:linkerdVersion must be edge-<year>.<month>.<number>, but is "stable-2.14.10"\n' +
          "    pulumi config set linkerd-mtls:linkerdVersion edge-26.6.3",
        'linkerd-mtls:guardMode must be one of deny, warn, audit, but is "off"\n' +
          "    pulumi config set linkerd-mtls:guardMode deny",
        'linkerd-mtls:gateDeadlineSeconds must be a whole number of seconds, 1 or more, but is "soon"\n' +
          "    pulumi config set linkerd-mtls:gateDeadlineSeconds 300",
      ],
    );
  });

  const wrong: [title: string, values: Values, expected: RegExp][] = [
    [
      "an anchor without id",
      { trustAnchors: [{}] },
      /trustAnchors\[0\]\.id must be a DNS label, .* but is missing/,
    ],
    ["an id that is a number", { trustAnchors: [{ id: 2026 }] }, /trustAnchors\[0\]\.id .* but is 2026/],
    ["an id that is no label", { trustAnchors: [{ id: "Root" }] }, /trustAnchors\[0\]\.id .* but is "Root"/],
    [
      "the same id twice",
      { trustAnchors: [{ id: "a" }, { id: "a" }], signingAnchor: "a" },
      /\[1\]\.id must be unique/,
    ],
    ["no anchor", { trustAnchors: [] }, /trustAnchors must be a list of at least one anchor, but is \[\]/],
    ["anchors that are no list", { trustAnchors: { id: "a" } }, /trustAnchors must be a list/],
    ["an anchor that is no object", { trustAnchors: ["a"] }, /trustAnchors\[0\] must be an object/],
    [
      "an unknown property",
      { trustAnchors: [{ id: "a", key: "secret" }] },
      /trustAnchors\[0\]\.key must be one of id, generation, validityHours, certificate, but is unknown/,
    ],
    [
      "a generation below 1",
      { issuer: { generation: 0 } },
      /issuer\.generation must be a whole number, 1 or more, but is 0/,
    ],
    [
      "a validity that is text",
      { issuer: { validityHours: "48h" } },
      /issuer\.validityHours .* but is "48h"/,
    ],
    [
      "a validity that the tls provider cannot count",
      { webhookCertificates: { validityHours: 2_562_048 } },
      /webhookCertificates\.validityHours must be a whole number of hours, 1 to 87600 \(the validity of their CA\), but is 2562048/,
    ],
    [
      "webhooks' certificates that outlive their CA",
      { webhookCertificates: { validityHours: 87_601 } },
      /webhookCertificates\.validityHours must be .* 87600 \(the validity of their CA\), but is 87601\n.* 1$/m,
    ],
    [
      "an issuer that the tls provider cannot count",
      { issuer: { validityHours: 876_001 } },
      /issuer\.validityHours must be a whole number of hours, 1 to 876000 \(100 years\), but is 876001/,
    ],
    [
      "proxies' certificates that outlive the issuer",
      { issuer: { validityHours: 24 } },
      /issuanceLifetime must be less than the validity of the issuer \(24h\), but is "24h"\n.*issuanceLifetime 12h$/m,
    ],
    [
      "an issuer that outlives its anchor",
      { trustAnchors: [{ id: "a", validityHours: 100 }], issuer: { validityHours: 101 } },
      /issuer\.validityHours must be no longer than the validity of trust anchor a \(100 hours\), but is 101\n.* 100$/m,
    ],
    [
      "an issuer that outlives its anchor by default",
      { trustAnchors: [{ id: "a", validityHours: 100 }] },
      /issuer\.validityHours must be no longer than the validity of trust anchor a \(100 hours\), but is 8760/,
    ],
    [
      "a life of certificates that Go cannot read",
      { issuanceLifetime: "2562048h" },
      /issuanceLifetime must be a duration such as .*, up to 2562047h, of 1m or more, but is "2562048h"\n.* 24h$/m,
    ],
    [
      "an issuer that is no object",
      { issuer: [] },
      /issuer must be an object of generation, validityHours, but is \[\]/,
    ],
    [
      "an unknown property of the webhooks",
      { webhookCertificates: { days: 1 } },
      /webhookCertificates\.days must be one of .* pulumi config rm --path/s,
    ],
    [
      "several anchors and no signer",
      { trustAnchors: [{ id: "a" }, { id: "b" }] },
      /signingAnchor must be one of the trust anchors \(a, b\), but is missing/,
    ],
    [
      "a signer that is no anchor",
      { signingAnchor: "c" },
      /signingAnchor must be one of .*\(primary\), but is "c"/,
    ],
    [
      "an upper-case trust domain",
      { trustDomain: "Example.org" },
      /trustDomain must be a DNS name in lower case/,
    ],
    [
      "an insecure repository",
      { chartSource: "http://example.org" },
      /chartSource must be an https:\/\/ repository/,
    ],
    [
      "another application",
      { sampleApplications: ["kuard", "books"] },
      /sampleApplications\[1\] must be one of hello-world, emojivoto, kuard, shop, but is "books"/,
    ],
    [
      "applications that are no list",
      { sampleApplications: "hello-world" },
      /sampleApplications must be a list/,
    ],
    [
      "a workload to roll that is only a name",
      { rolls: { workloads: ["web"] } },
      /rolls\.workloads\[0\] must be a kind, a namespace and a name, .* but is "web"\n {4}pulumi config set --path 'linkerd-mtls:rolls\.workloads\[0\]'/,
    ],
    ["other workloads to roll", { rolls: { workloads: "some" } }, /rolls\.workloads must be all, or a list/],
    [
      "a share of workloads to roll without workloads",
      { rolls: { percent: 50 } },
      /rolls\.percent must be set only with workloads/,
    ],
    [
      "a share of workloads to roll that is none",
      { rolls: { workloads: "all", percent: 0 } },
      /rolls\.percent must be a whole number, 1 to 100, but is 0/,
    ],
    ["a flag that is none", { cniEnabled: "maybe" }, /cniEnabled must be true or false, but is "maybe"/],
    [
      "an unknown property of viz",
      { viz: { replicas: 3 } },
      /viz\.replicas must be one of enabled, .* rm --path/s,
    ],
    ["viz that is a flag", { viz: true }, /viz must be an object of enabled, .* but is true/],
    ["viz that is enabled by a text", { viz: { enabled: "yes" } }, /viz\.enabled must be true or false/],
    [
      "a host that is no text",
      { viz: { enforcedHostRegexp: 1 } },
      /viz\.enforcedHostRegexp must be a regular expression, as a string, but is 1/,
    ],
    [
      "a Prometheus without a scheme",
      { viz: { prometheusUrl: "prometheus:9090" } },
      /viz\.prometheusUrl must be a URL that begins with http:\/\/ or https:\/\//,
    ],
    ["a deadline of nothing", { gateDeadlineSeconds: 0 }, /gateDeadlineSeconds .* but is 0/],
    ["another way to choose a cluster", { "kubernetes:cluster": "x" }, /kubernetes:cluster must not be set/],
    [
      "an issuer key that is not used",
      { issuerKey: "x" },
      /issuerKey must be set only with certificates=provided/,
    ],
  ];
  for (const [title, values, expected] of wrong) {
    it(`refuses ${title}`, () => {
      const found = problems(values);
      assert.equal(found.length, 1, found.join("\n\n"));
      assert.match(found[0] ?? "", expected);
      assert.match(found[0] ?? "", /\n {4}pulumi config (set|rm) /);
    });
  }

  it("has no viz unless it is enabled", () => {
    assert.equal(read({ viz: { enforcedHostRegexp: ".*" } }).viz, undefined);
    assert.equal(read({ viz: { enabled: false } }).viz, undefined);
  });

  it("refuses a signer whose key is elsewhere", () => {
    const found = problems({ trustAnchors: [{ id: "a", certificate: anchor.certPem }] });
    assert.match(found.join(), /signingAnchor must be an anchor without a certificate/);
  });

  describe("charts from a directory", () => {
    let directory: string;
    beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "charts-"))));
    afterEach(() => {
      rmSync(directory, { recursive: true });
    });

    it("must be there", () => {
      mkdirSync(join(directory, "linkerd-crds"));
      writeFileSync(join(directory, "linkerd-crds", "Chart.yaml"), "");
      assert.deepEqual(problems({ chartSource: directory }), [
        "linkerd-mtls:chartSource must hold the chart linkerd-control-plane where it is a directory, but " +
          `${join(directory, "linkerd-control-plane", "Chart.yaml")} does not exist\n` +
          "    pulumi config set linkerd-mtls:chartSource https://helm.linkerd.io/edge",
      ]);
    });

    it("are taken when they are", () => {
      for (const chart of ["linkerd-crds", "linkerd-control-plane"]) {
        mkdirSync(join(directory, chart));
        writeFileSync(join(directory, chart, "Chart.yaml"), "");
      }
      assert.equal(read({ chartSource: directory }).charts.source, directory);

      const [problem] = problems({ chartSource: directory, viz: { enabled: true } });
      assert.match(problem ?? "", /must hold the chart linkerd-viz where it is a directory/);
    });
  });

  describe("with provided certificates", () => {
    it("keeps the issuer's key a secret", async () => {
      const { providedIssuer } = read(provided(), SECRET);
      assert.ok(providedIssuer);
      assert.equal(providedIssuer.certificate, issuer.certPem);
      assert.equal(await pulumi.isSecret(pulumi.output(providedIssuer.privateKey)), true);
    });

    it("names everything that is missing, and the command that sets it", () => {
      assert.deepEqual(problems({ certificates: "provided", trustAnchors: [{ id: "2026" }] }), [
        "linkerd-mtls:trustAnchors[0].certificate must be set with certificates=provided, but is missing\n" +
          "    pulumi config set --path 'linkerd-mtls:trustAnchors[0].certificate' < ca.crt",
        "linkerd-mtls:issuerCertificate must be set with certificates=provided, but is missing\n" +
          "    pulumi config set linkerd-mtls:issuerCertificate < issuer.crt",
        "linkerd-mtls:issuerKey must be set with certificates=provided, but is missing\n" +
          "    pulumi config set --secret linkerd-mtls:issuerKey < issuer.key",
      ]);
    });

    it("refuses proxies' certificates that outlive the issuer", async () => {
      const { certPem, keyPem } = await testIssuer(anchor, { days: [-1, 1] });
      const short = { ...provided(), issuerCertificate: certPem, issuerKey: keyPem };
      assert.deepEqual(problems({ ...short, issuanceLifetime: "48h" }, SECRET), [
        'linkerd-mtls:issuanceLifetime must be less than the validity of the issuer (48h (2 days)), but is "48h"\n' +
          "    pulumi config set linkerd-mtls:issuanceLifetime 24h",
      ]);
      assert.equal(read({ ...short, issuanceLifetime: "47h" }, SECRET).issuanceLifetime, 47 * 3600);
    });

    it("refuses a key in plaintext, without repeating it", () => {
      assert.deepEqual(problems(provided()), [
        "linkerd-mtls:issuerKey must be a secret, but is in plaintext\n" +
          "    pulumi config set --secret linkerd-mtls:issuerKey < issuer.key",
      ]);
    });

    it("refuses the key of another certificate, and what is no key", () => {
      const rule = "linkerd-mtls:issuerKey must be the PEM of the issuer certificate's private key, but ";
      const fix = "\n    pulumi config set --secret linkerd-mtls:issuerKey < issuer.key";
      assert.deepEqual(problems({ ...provided(), issuerKey: anchor.keyPem }, SECRET), [
        `${rule}it belongs to another certificate${fix}`,
      ]);
      assert.deepEqual(problems({ ...provided(), issuerKey: "s3cret" }, SECRET), [
        `${rule}it has no PEM block${fix}`,
      ]);
    });

    it("refuses what is no CA certificate, without repeating it", () => {
      const rules = "linkerd-mtls:issuerCertificate must ";
      const fix = "\n    pulumi config set linkerd-mtls:issuerCertificate < issuer.crt";
      const found = (issuerCertificate: string, issuerKey = issuer.keyPem): string[] =>
        problems({ ...provided(), issuerCertificate, issuerKey }, SECRET);
      assert.deepEqual(found(leaf.certPem, leaf.keyPem), [
        `${rules}be a CA (basic constraints), but is none${fix}`,
        `${rules}have the DNS name identity.linkerd.cluster.local (subject alternative name, or common name where there is none), but has leaf${fix}`,
      ]);
      const pem = "be the PEM of the issuer's certificate, followed by those between it and its anchor, but ";
      assert.deepEqual(found(issuer.keyPem), [`${rules}${pem}it has a PEM block PRIVATE KEY${fix}`]);
    });

    it("refuses to issue what it was given", () => {
      const found = problems({ ...provided(), issuer: { generation: 2 } }, SECRET);
      assert.deepEqual(found, [
        "linkerd-mtls:issuer.generation must not be set where certificates=provided, but is 2\n" +
          "    pulumi config rm --path 'linkerd-mtls:issuer.generation'",
      ]);
    });
  });
});
