import "reflect-metadata";

import * as x509 from "@peculiar/x509";

import { TestCertificate, testAnchor, testCertificate, testIssuer } from "./certificates";
import { projectConfig } from "./stackConfig";

/** A wrong configuration of a stack with provided certificates, and what is said of it. */
export interface BadInput {
  readonly title: string;
  /** What differs from a valid configuration, by key; undefined removes a key. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Keys that are secrets. Default: the issuer's key. */
  readonly secretKeys?: readonly string[];
  /** Every problem that is reported, in order: what is wrong, then the commands that fix it. */
  readonly problems: readonly (readonly string[])[];
}

/** A valid configuration and the wrong ones, with certificates made for one test run. */
export interface BadInputs {
  readonly right: Readonly<Record<string, unknown>>;
  readonly wrong: readonly BadInput[];
}

const ANCHOR = "linkerd-mtls:trustAnchors[0].certificate";
const SET_ANCHOR = `pulumi config set --path '${ANCHOR}' < ca.crt`;
const ISSUER = "linkerd-mtls:issuerCertificate";
const SET_ISSUER = `pulumi config set ${ISSUER} < issuer.crt`;
const KEY = "linkerd-mtls:issuerKey";
const SET_KEY = `pulumi config set --secret ${KEY} < issuer.key`;

const isoTime = ({ notAfter }: TestCertificate): string => notAfter.toISOString().replace(".000Z", "Z");

/** Makes them all. */
export async function badInputs(): Promise<BadInputs> {
  const anchor = await testAnchor();
  const otherAnchor = await testAnchor();
  const issuer = await testIssuer(anchor);
  const right = {
    certificates: "provided",
    trustAnchors: [{ id: "2026", certificate: anchor.certPem }],
    issuerCertificate: issuer.certPem,
    issuerKey: issuer.keyPem,
  };

  const anchorIs = (certificate: unknown): Record<string, unknown> => ({
    trustAnchors: [{ id: "2026", certificate }],
  });
  const badAnchor = (title: string, certificate: unknown, ...found: string[]): BadInput => ({
    title: `an anchor ${title}`,
    values: anchorIs(certificate),
    problems: found.map((problem) => [`${ANCHOR} ${problem}`, SET_ANCHOR]),
  });
  /** An anchor that is right but for one thing, with an issuer of its own. */
  const weakAnchor = async (
    title: string,
    args: Parameters<typeof testAnchor>[0],
    found: (made: TestCertificate) => string,
  ): Promise<BadInput> => {
    const made = await testAnchor(args);
    const signed = await testIssuer(made);
    return {
      ...badAnchor(title, made.certPem, found(made)),
      values: { ...anchorIs(made.certPem), issuerCertificate: signed.certPem, issuerKey: signed.keyPem },
    };
  };
  const weakIssuer = async (
    title: string,
    args: Parameters<typeof testIssuer>[1],
    found: (made: TestCertificate) => string,
  ): Promise<BadInput> => {
    const made = await testIssuer(anchor, args);
    return {
      title: `an issuer ${title}`,
      values: { issuerCertificate: made.certPem, issuerKey: made.keyPem },
      problems: [[`${ISSUER} ${found(made)}`, SET_ISSUER]],
    };
  };
  const foreign = await testCertificate("identity.linkerd.example.org", { signer: anchor });
  const named = (name: string, found: string): string =>
    `must have the DNS name ${name} (subject alternative name, or common name where there is none), but has ${found}`;
  const badIssuer = (title: string, issuerCertificate: unknown, found: string): BadInput => ({
    title: `an issuer ${title}`,
    values: { issuerCertificate },
    problems: [[`${ISSUER} ${found}`, SET_ISSUER]],
  });
  const badKey = (title: string, issuerKey: unknown, found: string): BadInput => ({
    title: `an issuer's key ${title}`,
    values: { issuerKey },
    problems: [[`${KEY} ${found}`, SET_KEY]],
  });
  /** A key of the program with a value that is refused. */
  const bad = (
    title: string,
    key: string,
    value: unknown,
    found: string,
    ...commands: string[]
  ): BadInput => ({
    title,
    values: { [key]: value },
    problems: [[`linkerd-mtls:${found}`, ...commands]],
  });
  const set = (key: string, value: string): string =>
    /[.[]/.test(key)
      ? `pulumi config set --path 'linkerd-mtls:${key}' ${value}`
      : `pulumi config set linkerd-mtls:${key} ${value}`;
  const rm = (key: string): string => `pulumi config rm --path 'linkerd-mtls:${key}'`;
  const namespace = (properties: object): unknown => [{ name: "shop", ...properties }];
  const workload = (properties: object): unknown =>
    namespace({
      workloads: [{ name: "web", podSpec: { containers: [{ name: "web", image: "web:1" }] }, ...properties }],
    });

  const PEM_RULE = "must be the PEM of one CA certificate, but";
  const CHAIN_RULE =
    "must be the PEM of the issuer's certificate, followed by those between it and its anchor, but";
  const KEY_RULE = "must be the PEM of the issuer certificate's private key, but";
  const middle = await testIssuer(anchor);
  const below = await testIssuer(middle, { dnsNames: ["identity.linkerd.cluster.local"] });
  const tight = await testAnchor({ pathLength: 1 });
  const tightMiddle = await testIssuer(tight);
  const tightBelow = await testIssuer(tightMiddle);
  const body = anchor.certPem.split("\n").slice(1, -1).join("\n");
  const SECRET_RULE = "must be a secret";

  const keys = Object.keys(projectConfig()).filter((key) => !key.includes(":"));

  const wrong: BadInput[] = [
    // The trust anchor.
    {
      title: "no anchor's certificate",
      values: { trustAnchors: [{ id: "2026" }] },
      problems: [[`${ANCHOR} must be set with certificates=provided, but is missing`, SET_ANCHOR]],
    },
    badAnchor("that is no PEM", "ca.crt", `${PEM_RULE} it has no PEM block`),
    badAnchor("that is a number", 5, `${PEM_RULE} it has no PEM block`),
    badAnchor("in unicode", "信任锚 🔐", `${PEM_RULE} it has no PEM block`),
    badAnchor("that is huge", "A".repeat(200_000), `${PEM_RULE} it has no PEM block`),
    badAnchor("that was cut off", anchor.certPem.slice(0, 300), `${PEM_RULE} its PEM block is damaged`),
    badAnchor(
      "with escaped line ends",
      anchor.certPem.trim().replaceAll("\n", "\\n"),
      `${PEM_RULE} a PEM block begins or ends in the middle of a line`,
    ),
    badAnchor(
      "with a damaged body",
      `-----BEGIN CERTIFICATE-----\n${body.slice(0, 100)}\n-----END CERTIFICATE-----\n`,
      `${PEM_RULE} its PEM block is damaged`,
    ),
    badAnchor("that is a private key", anchor.keyPem, `${PEM_RULE} it has a PEM block PRIVATE KEY`),
    badAnchor(
      "with its private key beside it",
      `${anchor.certPem}\n${anchor.keyPem}`,
      `${PEM_RULE} it has a PEM block PRIVATE KEY`,
    ),
    badAnchor("that is two", `${anchor.certPem}\n${otherAnchor.certPem}`, `${PEM_RULE} it has 2`),
    badAnchor(
      "with text after it",
      `${anchor.certPem}\nsubject=CN=root`,
      `${PEM_RULE} it has text after its last PEM block`,
    ),
    await weakAnchor(
      "that is not a CA",
      { isCa: false },
      () => "must be a CA (basic constraints), but is none",
    ),
    await weakAnchor(
      "that may not sign",
      { keyUsages: x509.KeyUsageFlags.digitalSignature },
      () => "must have the key usage certificate signing, but has others only",
    ),
    await weakAnchor(
      "for servers only",
      { purposes: [x509.ExtendedKeyUsage.serverAuth] },
      () =>
        "must have the extended key usages server authentication and client authentication, or none at all, but " +
        "lacks client authentication",
    ),
    await weakAnchor(
      "with path length 0",
      { pathLength: 0 },
      () => "must allow 1 CA below it (path length), but allows 0",
    ),
    await weakAnchor(
      "with a P-384 key",
      { key: "P-384", hash: "SHA-256" },
      () => "must use ECDSA P-256 or RSA 2048 or RSA 4096 for its public key, but uses ECDSA P-384",
    ),
    await weakAnchor(
      "with an RSA key of 3072 bits",
      { key: "RSA 3072" },
      () => "must use ECDSA P-256 or RSA 2048 or RSA 4096 for its public key, but uses RSA 3072",
    ),
    await weakAnchor(
      "signed with SHA-384",
      { hash: "SHA-384" },
      () => "must be signed by ECDSA with SHA-256 or RSA with SHA-256, but is signed by ECDSA with SHA-384",
    ),
    await weakAnchor(
      "that has expired",
      { days: [-30, -1] },
      (made) => `must be valid now, but expired on ${isoTime(made)}`,
    ),
    await weakAnchor(
      "of the last hour",
      { days: [-30, 0.5 / 24] },
      (made) => `must be valid for another hour at least, but expires on ${isoTime(made)}`,
    ),

    // The issuer's certificate.
    {
      title: "no issuer",
      values: { issuerCertificate: undefined },
      problems: [[`${ISSUER} must be set with certificates=provided, but is missing`, SET_ISSUER]],
    },
    badIssuer("that is no PEM", "issuer.crt", `${CHAIN_RULE} it has no PEM block`),
    badIssuer("that is a private key", issuer.keyPem, `${CHAIN_RULE} it has a PEM block PRIVATE KEY`),
    await weakIssuer(
      "with an RSA key",
      { key: "RSA 2048" },
      () => "must use ECDSA P-256 for its public key, but uses RSA 2048",
    ),
    await weakIssuer(
      "with a P-384 key",
      { key: "P-384" },
      () => "must use ECDSA P-256 for its public key, but uses ECDSA P-384",
    ),
    await weakIssuer(
      "with an Ed25519 key",
      { key: "Ed25519" },
      () => "must use ECDSA P-256 for its public key, but uses ed25519",
    ),
    await weakIssuer(
      "signed with SHA-512",
      { hash: "SHA-512" },
      () => "must be signed by ECDSA with SHA-256 or RSA with SHA-256, but is signed by ECDSA with SHA-512",
    ),
    await weakIssuer(
      "that is not a CA",
      { isCa: false },
      () => "must be a CA (basic constraints), but is none",
    ),
    await weakIssuer(
      "that may not sign",
      { keyUsages: x509.KeyUsageFlags.cRLSign },
      () => "must have the key usage certificate signing, but has others only",
    ),
    await weakIssuer(
      "for clients only",
      { purposes: [x509.ExtendedKeyUsage.clientAuth] },
      () =>
        "must have the extended key usages server authentication and client authentication, or none at all, but " +
        "lacks server authentication",
    ),
    await weakIssuer(
      "that has expired",
      { days: [-30, -1] },
      (made) => `must be valid now, but expired on ${isoTime(made)}`,
    ),
    await weakIssuer("that is not valid yet", { days: [1, 366] }, (made) => {
      const notBefore = new Date(made.notAfter.getTime() - 365 * 24 * 60 * 60 * 1000);
      return `must be valid now, but is not valid before ${notBefore.toISOString().replace(".000Z", "Z")}`;
    }),
    await weakIssuer(
      "of the last hour",
      { days: [-30, 0.5 / 24] },
      (made) => `must be valid for another hour at least, but expires on ${isoTime(made)}`,
    ),
    await weakIssuer("of another trust domain", { dnsNames: ["identity.linkerd.example.org"] }, () =>
      named("identity.linkerd.cluster.local", "identity.linkerd.example.org"),
    ),
    {
      title: "an issuer of another trust domain by its common name",
      values: { issuerCertificate: foreign.certPem, issuerKey: foreign.keyPem },
      problems: [
        [`${ISSUER} ${named("identity.linkerd.cluster.local", "identity.linkerd.example.org")}`, SET_ISSUER],
      ],
    },
    {
      title: "an issuer for another trust domain than the mesh's",
      values: { trustDomain: "example.org" },
      problems: [
        [`${ISSUER} ${named("identity.linkerd.example.org", "identity.linkerd.cluster.local")}`, SET_ISSUER],
      ],
    },
    {
      title: "an anchor that has another key than the issuer's signer",
      values: anchorIs(otherAnchor.certPem),
      problems: [
        [
          `${ISSUER} must be signed by a trust anchor of the bundle, but was signed by another key of ` +
            "CN=root.linkerd.cluster.local than the bundle's",
          SET_ISSUER,
        ],
      ],
    },
    {
      title: "an issuer whose signer is left out",
      values: { issuerCertificate: below.certPem, issuerKey: below.keyPem },
      problems: [
        [
          `${ISSUER} must be signed by a trust anchor of the bundle, but was signed by ` +
            "CN=identity.linkerd.cluster.local, and the bundle has CN=root.linkerd.cluster.local",
          SET_ISSUER,
        ],
      ],
    },
    {
      title: "two certificates in the wrong order",
      values: {
        issuerCertificate: `${middle.certPem}\n${below.certPem}`,
        issuerKey: below.keyPem,
      },
      problems: [
        [
          `${ISSUER} must have each certificate followed by the one that signed it, but certificate 2 ` +
            "(CN=identity.linkerd.cluster.local) did not sign certificate 1 (CN=identity.linkerd.cluster.local)",
          SET_ISSUER,
        ],
        [`${KEY} ${KEY_RULE} it belongs to another certificate`, SET_KEY],
      ],
    },
    {
      title: "more certificates than the anchor allows",
      values: {
        ...anchorIs(tight.certPem),
        issuerCertificate: `${tightBelow.certPem}\n${tightMiddle.certPem}`,
        issuerKey: tightBelow.keyPem,
      },
      problems: [
        [
          `${ISSUER} must be no longer than its trust anchor allows (path length 1), but has 2 certificates`,
          SET_ISSUER,
        ],
      ],
    },
    {
      title: "the anchor as issuer",
      values: { issuerCertificate: anchor.certPem, issuerKey: anchor.keyPem },
      problems: [
        [`${ISSUER} ${named("identity.linkerd.cluster.local", "root.linkerd.cluster.local")}`, SET_ISSUER],
      ],
    },

    // The issuer's key.
    {
      title: "no issuer's key",
      values: { issuerKey: undefined },
      problems: [[`${KEY} must be set with certificates=provided, but is missing`, SET_KEY]],
    },
    {
      ...badKey("in plaintext", issuer.keyPem, `${SECRET_RULE}, but is in plaintext`),
      secretKeys: [],
    },
    badKey("of the anchor", anchor.keyPem, `${KEY_RULE} it belongs to another certificate`),
    badKey("that is a file's name", "keys/private.pem", `${KEY_RULE} it has no PEM block`),
    badKey("that is a certificate", issuer.certPem, `${KEY_RULE} it is a PEM block CERTIFICATE`),
    badKey(
      "with the curve's parameters before it",
      `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${issuer.keyPem}`,
      `${KEY_RULE} it has 2 PEM blocks (EC PARAMETERS, PRIVATE KEY)`,
    ),
    badKey(
      "with a passphrase",
      issuer.keyPem.replaceAll("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
      `${KEY_RULE} it is encrypted with a passphrase`,
    ),
    badKey("that is damaged", issuer.keyPem.replace(/\n.{20}/, "\n"), `${KEY_RULE} it cannot be parsed`),

    // How certificates are issued.
    {
      title: "a generation of what is given",
      values: { issuer: { generation: 2 } },
      problems: [
        [
          "linkerd-mtls:issuer.generation must not be set where certificates=provided, but is 2",
          rm("issuer.generation"),
        ],
      ],
    },
    bad(
      "a duration below 0",
      "webhookCertificates",
      { validityHours: -24 },
      "webhookCertificates.validityHours must be a whole number of hours, 1 to 87600 (the validity of their CA), but is -24",
      set("webhookCertificates.validityHours", "1"),
    ),
    bad(
      "a duration with a unit",
      "webhookCertificates",
      { validityHours: "48h" },
      'webhookCertificates.validityHours must be a whole number of hours, 1 to 87600 (the validity of their CA), but is "48h"',
      set("webhookCertificates.validityHours", "1"),
    ),
    {
      title: "certificates of another kind",
      values: {
        certificates: "vault",
        trustAnchors: undefined,
        issuerCertificate: undefined,
        issuerKey: undefined,
      },
      problems: [
        [
          'linkerd-mtls:certificates must be one of generated, provided, cert-manager, but is "vault"',
          set("certificates", "generated"),
        ],
      ],
    },

    // Names, versions, places.
    bad(
      "a trust domain in unicode",
      "trustDomain",
      "кластер.local",
      'trustDomain must be a DNS name in lower case, but is "кластер.local"',
      set("trustDomain", "cluster.local"),
    ),
    bad(
      "a trust domain that is a list",
      "trustDomain",
      ["cluster.local"],
      'trustDomain must be a DNS name in lower case, but is "[\\"cluster.local\\"]"',
      set("trustDomain", "cluster.local"),
    ),
    bad(
      "a release of another kind",
      "linkerdVersion",
      "stable-2.14.10",
      'linkerdVersion must be edge-<year>.<month>.<number>, but is "stable-2.14.10"',
      set("linkerdVersion", "edge-26.6.3"),
    ),
    {
      title: "a directory of charts that does not exist",
      values: { chartSource: "./no/such" },
      problems: ["linkerd-crds", "linkerd-control-plane"].map((chart) => [
        `linkerd-mtls:chartSource must hold the chart ${chart} where it is a directory, but ` +
          `no/such/${chart}/Chart.yaml does not exist`,
        set("chartSource", "https://helm.linkerd.io/edge"),
      ]),
    },
    bad(
      "an insecure repository",
      "chartSource",
      "http://charts.example.org",
      'chartSource must be an https:// repository, an oci:// registry or a directory, but is "http://charts.example.org"',
      set("chartSource", "https://helm.linkerd.io/edge"),
    ),
    {
      title: "another way to choose a cluster",
      values: { "kubernetes:cluster": "production" },
      problems: [
        [
          "kubernetes:cluster must not be set (the injection gate follows kubernetes:kubeconfig and " +
            "kubernetes:context), but is set",
          "pulumi config rm kubernetes:cluster",
          "pulumi config set kubernetes:context <context>",
        ],
      ],
    },

    // Modes, numbers, flags.
    bad(
      "a mode of the guard",
      "guardMode",
      "off",
      'guardMode must be one of deny, warn, audit, but is "off"',
      set("guardMode", "deny"),
    ),
    bad(
      "a deadline in words",
      "gateDeadlineSeconds",
      "soon",
      'gateDeadlineSeconds must be a whole number of seconds, 1 or more, but is "soon"',
      set("gateDeadlineSeconds", "300"),
    ),
    bad(
      "a deadline in the past",
      "gateDeadlineSeconds",
      -1,
      "gateDeadlineSeconds must be a whole number of seconds, 1 or more, but is -1",
      set("gateDeadlineSeconds", "300"),
    ),
    bad(
      "a namespace for the gate with a slash",
      "gateNamespace",
      "shop/web",
      'gateNamespace must be the name of an existing namespace, but is "shop/web"',
      set("gateNamespace", "default"),
    ),
    bad(
      "a failure policy",
      "webhookFailurePolicy",
      "Deny",
      'webhookFailurePolicy must be one of Ignore, Fail, but is "Deny"',
      set("webhookFailurePolicy", "Ignore"),
    ),
    bad(
      "opaque ports that are a text",
      "opaquePorts",
      "3306,4444",
      'opaquePorts must be a list of ports (1 to 65535) or of ranges such as "4567-4568", but is "3306,4444"',
      set("opaquePorts[0]", "4567"),
    ),
    bad(
      "another iptables",
      "proxyInit",
      { iptablesMode: "ebpf" },
      'proxyInit.iptablesMode must be one of legacy, nft, but is "ebpf"',
      set("proxyInit.iptablesMode", "nft"),
    ),
    bad(
      "an ignored port range that ends before it begins",
      "proxyInit",
      { ignoreInboundPorts: [80, "4568-4567"] },
      'proxyInit.ignoreInboundPorts[1] must be a port (1 to 65535) or a range such as "4567-4568", but is ' +
        '"4568-4567"',
      set("proxyInit.ignoreInboundPorts[1]", "4567"),
    ),
    bad(
      "an image registry with a scheme",
      "imageRegistry",
      "https://registry.example.org",
      'imageRegistry must be a registry and a path, without scheme and tag, but is "https://registry.example.org"',
      set("imageRegistry", "registry.example.org/linkerd"),
    ),
    bad(
      "a pull secret that is an object",
      "imagePullSecrets",
      [{ name: "registry" }],
      `imagePullSecrets[0] must be a Secret's name, but is {"name":"registry"}`,
      set("imagePullSecrets[0]", "registry"),
    ),
    bad(
      "a time that needs root without it",
      "namespaces",
      workload({ proxy: { closeWaitTimeout: "1m" } }),
      "namespaces[0].workloads[0].proxy.closeWaitTimeout must be set only where the container linkerd-init runs as " +
        'root (proxyInit.runAsRoot), but is "1m"',
      set("proxyInit.runAsRoot", "true"),
    ),
    bad(
      "a flag in words",
      "labelKubeSystem",
      "maybe",
      'labelKubeSystem must be true or false, but is "maybe"',
      set("labelKubeSystem", "true"),
    ),
    bad(
      "an extension that is a flag",
      "viz",
      true,
      "viz must be an object of enabled, enforcedHostRegexp, prometheusUrl, highAvailability, but is true",
      set("viz.enabled", "<value>"),
    ),
    bad(
      "a Prometheus without a scheme",
      "viz",
      { enabled: true, prometheusUrl: "prometheus:9090" },
      'viz.prometheusUrl must be a URL that begins with http:// or https://, but is "prometheus:9090"',
      set("viz.prometheusUrl", "http://prometheus.monitoring:9090"),
    ),
    bad(
      "an application that does not exist",
      "sampleApplications",
      ["books"],
      'sampleApplications[0] must be one of hello-world, emojivoto, kuard, shop, but is "books"',
      set("sampleApplications[0]", "hello-world"),
    ),

    // Helm values.
    bad(
      "values that are no object",
      "values",
      "proxy.logLevel=debug",
      "values must be an object of linkerd-crds, linkerd-control-plane, linkerd-viz, cert-manager, trust-manager, but " +
        'is "proxy.logLevel=debug"',
      set("values.linkerd-crds", "<value>"),
    ),
    bad(
      "values of an unknown chart",
      "values",
      { linkerd2: {} },
      "values.linkerd2 must be one of linkerd-crds, linkerd-control-plane, linkerd-viz, cert-manager, trust-manager, " +
        "but is unknown",
      rm("values.linkerd2"),
    ),
    bad(
      "values of a chart that are no object",
      "values",
      { "linkerd-viz": [] },
      "values.linkerd-viz must be an object, as the chart's values.yaml is, but is []",
      rm("values.linkerd-viz"),
    ),
    bad(
      "a value that another key sets",
      "values",
      { "linkerd-control-plane": { proxy: { opaquePorts: "25" } } },
      'values.linkerd-control-plane.proxy.opaquePorts must not be set here (opaquePorts sets it), but is "25"',
      rm("values.linkerd-control-plane.proxy.opaquePorts"),
    ),
    bad(
      "a private key as a value",
      "values",
      { "cert-manager": { webhook: { extraArgs: [anchor.keyPem] } } },
      "values.cert-manager.webhook.extraArgs must not hold a private key, which Helm and Pulumi would keep in " +
        "plaintext, but is a PEM block",
      rm("values.cert-manager.webhook.extraArgs"),
    ),
    {
      title: "a value that is a secret",
      values: { values: { "linkerd-viz": { prometheusCredsSecret: "prometheus" } } },
      secretKeys: ["issuerKey", "values"],
      problems: [
        [
          "linkerd-mtls:values must not hold a secret, because Helm and Pulumi keep values in plaintext, but is set " +
            "with --secret",
          "pulumi config rm linkerd-mtls:values",
        ],
      ],
    },

    // Applications.
    bad(
      "a namespace with an invalid name",
      "namespaces",
      [{ name: "My Shop" }],
      'namespaces[0].name must be a DNS label, as a string, but is "My Shop"',
      set("namespaces[0].name", "<name>"),
    ),
    bad(
      "Linkerd's own namespace",
      "namespaces",
      [{ name: "linkerd" }],
      "namespaces[0].name must be another namespace (it is the control plane's, which is never injected), but is " +
        '"linkerd"',
      set("namespaces[0].name", "<name>"),
    ),
    bad(
      "a huge name",
      "namespaces",
      [{ name: "x".repeat(5000) }],
      `namespaces[0].name must be a DNS label, as a string, but is "${"x".repeat(99)}...`,
      set("namespaces[0].name", "<name>"),
    ),
    bad(
      "pod security that refuses proxies",
      "namespaces",
      namespace({ podSecurity: "restricted" }),
      "namespaces[0].podSecurity must be privileged where pods are injected without Linkerd's CNI plugin, because " +
        'the container linkerd-init needs NET_ADMIN and NET_RAW, but is "restricted"',
      set("namespaces[0].podSecurity", "privileged"),
      `${set("cniEnabled", "true")}    # once the plugin is installed`,
    ),
    bad(
      "a port beyond the last",
      "namespaces",
      namespace({ proxy: { opaquePorts: [3306, 65536] } }),
      'namespaces[0].proxy.opaquePorts[1] must be a port (1 to 65535) or a range such as "4567-4568", but is 65536',
      set("namespaces[0].proxy.opaquePorts[1]", "4567"),
    ),
    bad(
      "a setting that does not exist",
      "namespaces",
      workload({ proxy: { cpu: "100m" } }),
      "namespaces[0].workloads[0].proxy.cpu must be one of cpuRequest, cpuLimit, memoryRequest, memoryLimit, logLevel, " +
        "opaquePorts, skipInboundPorts, skipOutboundPorts, defaultInboundPolicy, nativeSidecar, await, " +
        "shutdownGracePeriod, cpuRatioLimit, closeWaitTimeout, but is unknown",
      rm("namespaces[0].workloads[0].proxy.cpu"),
    ),
    bad(
      "a network that is an address",
      "namespaces",
      namespace({ authorization: [{ port: 8080, from: { networks: ["10.0.0.1"] } }] }),
      'namespaces[0].authorization[0].from.networks[0] must be a network in CIDR notation, but is "10.0.0.1"',
      set("namespaces[0].authorization[0].from.networks[0]", "10.0.0.0/8"),
    ),
    bad(
      "an authorization of nobody",
      "namespaces",
      namespace({ authorization: [{ port: 8080 }] }),
      "namespaces[0].authorization[0].from must name at least one client in namespaces, serviceAccounts, networks, " +
        "but is missing",
      set("namespaces[0].authorization[0].from.namespaces[0]", "shop"),
    ),
    bad(
      "a workload of another kind",
      "namespaces",
      workload({ kind: "Pod" }),
      'namespaces[0].workloads[0].kind must be one of Deployment, StatefulSet, DaemonSet, Job, CronJob, but is "Pod"',
      set("namespaces[0].workloads[0].kind", "Deployment"),
    ),
    bad(
      "a workload without an image",
      "namespaces",
      workload({ podSpec: { containers: [{ name: "web" }] } }),
      "namespaces[0].workloads[0].podSpec.containers[0].image must be the container's image, but is missing",
      set("namespaces[0].workloads[0].podSpec.containers[0].image", "<image>"),
    ),

    {
      title: "a key that does not exist",
      values: { trustAnchor: "2026" },
      problems: [
        [
          `linkerd-mtls:trustAnchor must be one of ${keys.join(", ")}, but is unknown`,
          "pulumi config rm linkerd-mtls:trustAnchor",
        ],
      ],
    },
    bad(
      "a property that does not exist",
      "webhookCertificates",
      { days: 365 },
      "webhookCertificates.days must be one of generation, validityHours, cas, signingCa, but is unknown",
      rm("webhookCertificates.days"),
    ),
    // Several at once.
    {
      title: "everything missing",
      values: {
        trustAnchors: [{ id: "2026" }],
        issuerCertificate: undefined,
        issuerKey: undefined,
        guardMode: "off",
      },
      problems: [
        [`${ANCHOR} must be set with certificates=provided, but is missing`, SET_ANCHOR],
        [`${ISSUER} must be set with certificates=provided, but is missing`, SET_ISSUER],
        [`${KEY} must be set with certificates=provided, but is missing`, SET_KEY],
        ['linkerd-mtls:guardMode must be one of deny, warn, audit, but is "off"', set("guardMode", "deny")],
      ],
    },
  ];
  return { right, wrong };
}
