import assert from "node:assert/strict";

import { known, type Properties, UNKNOWN } from "../../policy/known";
import { defaults, type Resource, type Rule } from "../../policy/rule";
import { RULES } from "../../policy/rules";
import { testCertificate } from "../support/certificates";

/** A resource of stack prod, unless told otherwise. */
function resource(type: string, props: Properties, more: Partial<Resource> = {}): Resource {
  return { type, urn: `urn:pulumi:prod::linkerd-mtls::${type}::it`, props, isProtected: false, ...more };
}

function rule(name: string): Rule {
  const found = RULES.find((candidate) => candidate.name === name);
  assert(found, name);
  return found;
}

function violations(name: string, of: Resource, settings: object = {}): readonly string[] {
  return rule(name).violations(of, { ...defaults(rule(name)), ...settings });
}

const NAMESPACE = "kubernetes:core/v1:Namespace";
const RELEASE = "kubernetes:helm.sh/v3:Release";
const ADMISSION = "kubernetes:admissionregistration.k8s.io/v1:";
const REPO = { repositoryOpts: { repo: "https://helm.example.org" } };
const meshed = (annotations: Properties = {}): Properties => ({
  metadata: { name: "shop", annotations: { "linkerd.io/inject": "enabled", ...annotations } },
});
const policy = (value: unknown) => ({ "config.linkerd.io/default-inbound-policy": value });
const pods = (image: string) => ({
  metadata: { name: "web", namespace: "shop" },
  spec: { template: { spec: { containers: [{ image }] } } },
});

/** Each bad resource, by the rule that finds it; the message is matched. */
const BAD: Readonly<Record<string, readonly (readonly [Resource, RegExp])[]>> = {
  "approved-inbound-policy": [
    [
      resource(NAMESPACE, meshed()),
      /^Namespace shop is meshed and has no .*must be one of all-authenticated,/,
    ],
    [resource(`${NAMESPACE}Patch`, meshed()), /no inbound policy of its own/],
    [
      resource(NAMESPACE, meshed(policy("all-unauthenticated"))),
      /has the inbound policy all-unauthenticated; .*namespaces/,
    ],
    [
      resource("kubernetes:apps/v1:Deployment", {
        spec: { template: { metadata: { annotations: policy("cluster-unauthenticated") } } },
      }),
      /^Deployment it has the inbound policy cluster-unauthenticated/,
    ],
  ],
  "certificate-lifetimes": [
    [
      resource("tls:index/selfSignedCert:SelfSignedCert", {
        isCaCertificate: true,
        validityPeriodHours: 90_000,
      }),
      /signs itself with a validity of 90000 hours; 87600 are allowed \(anchorHours\)\. Shorten validityHours/,
    ],
    [
      resource("tls:index/locallySignedCert:LocallySignedCert", {
        isCaCertificate: true,
        validityPeriodHours: 87_600,
      }),
      /another has signed with a validity of 87600 hours; 8760/,
    ],
    [resource("tls:index/locallySignedCert:LocallySignedCert", { validityPeriodHours: 9000 }), /serverHours/],
    [
      resource("kubernetes:cert-manager.io/v1:Certificate", {
        spec: { isCA: true, duration: "9000h0m0s", issuerRef: { name: "linkerd-trust-anchor" } },
      }),
      /9000 hours; 8760 are allowed \(issuerHours\)/,
    ],
    [
      resource(RELEASE, { values: { identity: { issuer: { issuanceLifetime: "720h0m0s" } } } }),
      /proxies' certificates with a validity of 720 hours; 24/,
    ],
  ],
  "fail-closed": [
    [
      resource(RELEASE, { name: "linkerd", chart: "linkerd-control-plane", values: {} }),
      /pulumi config set linkerd-mtls:webhookFailurePolicy Fail/,
    ],
    [
      resource(RELEASE, {
        chart: "/charts/linkerd-control-plane",
        values: { webhookFailurePolicy: "Ignore" },
      }),
      /must be Fail/,
    ],
    [
      resource(`${ADMISSION}ValidatingAdmissionPolicy`, { spec: { failurePolicy: "Ignore" } }),
      /spec\.failurePolicy/,
    ],
    [
      resource(`${ADMISSION}ValidatingAdmissionPolicyBinding`, {
        spec: { policyName: "linkerd-mesh-guard", validationActions: ["Audit"] },
      }),
      /pulumi config set linkerd-mtls:guardMode deny/,
    ],
    [
      resource(`${ADMISSION}MutatingWebhookConfiguration`, {
        webhooks: [{ name: "good" }, { name: "bad.example.org", failurePolicy: "Ignore" }],
      }),
      /its webhook bad\.example\.org does not answer/,
    ],
  ],
  "pinned-versions": [
    [
      resource(RELEASE, { chart: "linkerd-crds", version: "^2026.0.0", ...REPO }),
      /version "\^2026\.0\.0"; .*linkerdVersion/,
    ],
    [resource(RELEASE, { chart: "linkerd-crds", ...REPO }), /with version ""/],
    [resource(RELEASE, { chart: "oci://registry.example.org/linkerd-crds", version: "latest" }), /"latest"/],
    [
      resource(RELEASE, { chart: "/charts/x", values: { proxy: { image: { version: "latest" } } } }),
      /latest in its Helm values at proxy\.image\.version/,
    ],
    [
      resource("kubernetes:apps/v1:Deployment", pods("registry:5000/web")),
      /^Deployment shop\/web runs the image registry:5000\/web/,
    ],
    [resource("kubernetes:apps/v1:Deployment", pods("web:latest")), /web:latest \(spec\.template/],
  ],
  "protected-in-production": [
    [
      resource(NAMESPACE, { metadata: { name: "shop" } }),
      /^Namespace shop is not protected.*linkerd-mtls:protect true/,
    ],
    [
      resource(
        "tls:index/privateKey:PrivateKey",
        {},
        {
          urn: "urn:pulumi:prod::p::linkerd-mtls:index:LinkerdMesh$linkerd-mtls:index:TrustAnchor$tls:index/privateKey:PrivateKey::key",
        },
      ),
      /^PrivateKey key is not protected/,
    ],
  ],
};

/** What must not be found, and looks like something that must. */
const GOOD: readonly Resource[] = [
  resource(NAMESPACE, { metadata: { annotations: UNKNOWN } }, { isProtected: true }),
  resource(NAMESPACE, meshed(policy("deny")), { isProtected: true }),
  resource(NAMESPACE, { metadata: { name: "linkerd-viz" } }),
  resource(NAMESPACE, meshed(policy(UNKNOWN)), { isProtected: true }),
  resource(`${NAMESPACE}Patch`, {
    metadata: { name: "linkerd", annotations: { "linkerd.io/inject": "disabled" } },
  }),
  resource(RELEASE, { chart: "linkerd-crds", version: "2026.8.3", ...REPO }),
  resource(RELEASE, { chart: "linkerd-crds", version: UNKNOWN, ...REPO }),
  resource(RELEASE, { chart: "/charts/linkerd-crds", version: "" }),
  resource(RELEASE, { chart: "linkerd-control-plane", values: UNKNOWN, version: "2026.8.3", ...REPO }),
  resource("kubernetes:apps/v1:Deployment", pods(`web@sha256:${"0".repeat(64)}`)),
  resource("kubernetes:apps/v1:Deployment", pods("registry:5000/web:1.0")),
  resource(`${ADMISSION}ValidatingAdmissionPolicyBinding`, {
    spec: { policyName: "linkerd-mesh-guard-warning", validationActions: ["Warn"] },
  }),
  resource("tls:index/selfSignedCert:SelfSignedCert", { isCaCertificate: true, validityPeriodHours: 87_600 }),
];

describe("the rules of the policy pack", () => {
  for (const [name, cases] of Object.entries(BAD)) {
    for (const [bad, message] of cases) {
      it(`${name} finds ${message.source}`, () => {
        const found = violations(name, bad);
        assert.equal(found.length, 1, found.join("\n"));
        assert.match(found[0] ?? "", message);
      });
    }
  }

  it("find nothing where there is nothing, or nothing known yet", () => {
    for (const good of GOOD) {
      for (const { name } of RULES) assert.deepEqual(violations(name, good), [], name);
    }
  });

  describe("keys-in-secrets-only", () => {
    const NAME = "keys-in-secrets-only";
    let pem: string;
    before(async () => {
      pem = (await testCertificate("key")).keyPem;
    });
    const base64 = (text: string) => Buffer.from(text).toString("base64");

    it("finds a key in a ConfigMap, in Helm values, in base64 and among a RandomId's keepers", () => {
      const bad: readonly (readonly [string, Properties, string])[] = [
        ["kubernetes:core/v1:ConfigMap", { data: { "ca.key": pem } }, "data.ca.key"],
        ["kubernetes:core/v1:ConfigMap", { binaryData: { key: base64(pem) } }, "binaryData.key"],
        [
          RELEASE,
          { values: { identity: { issuer: { tls: { keyPEM: `\n${pem}` } } } } },
          "values.identity.issuer.tls.keyPEM",
        ],
        ["random:index/randomId:RandomId", { keepers: { key: pem } }, "keepers.key"],
        [
          "kubernetes:core/v1:Secret",
          { metadata: { annotations: { key: pem } } },
          "metadata.annotations.key",
        ],
        ["tls:index/selfSignedCert:SelfSignedCert", { subject: { commonName: pem } }, "subject.commonName"],
      ];
      for (const [type, props, path] of bad) {
        const [found = "", ...others] = violations(NAME, resource(type, props));
        assert.deepEqual(others, []);
        assert(found.includes(`has a private key in ${path}, which is no Secret`), found);
        assert(!found.includes("BEGIN"), "the message quotes the key");
      }
    });

    it("finds none in a Secret, or where the tls provider signs", () => {
      const good: readonly (readonly [string, Properties])[] = [
        ["kubernetes:core/v1:Secret", { stringData: { "tls.key": pem } }],
        ["kubernetes:core/v1:Secret", { data: { "tls.key": base64(pem) } }],
        ["tls:index/selfSignedCert:SelfSignedCert", { privateKeyPem: pem }],
        ["tls:index/locallySignedCert:LocallySignedCert", { caPrivateKeyPem: pem }],
      ];
      for (const [type, props] of good) assert.deepEqual(violations(NAME, resource(type, props)), [], type);
    });
  });

  it("read the certificates that a stack is provided with", async () => {
    const anchor = await testCertificate("root", { days: [0, 4000] });
    const issuer = await testCertificate("issuer", { signer: anchor, days: [0, 400] });
    const release = resource(RELEASE, { values: { identityTrustAnchorsPEM: anchor.certPem } });
    const tls = Buffer.from(issuer.certPem).toString("base64");
    const secret = resource("kubernetes:core/v1:Secret", { data: { "tls.crt": tls } });
    const name = "certificate-lifetimes";
    assert.match(violations(name, release).join("\n"), /^Release it .* of 96000 hours; 87600 are allowed/);
    assert.match(violations(name, secret).join("\n"), /^Secret it .* of 9600 hours; 8760 are allowed/);
    assert.deepEqual(violations(name, secret, { issuerHours: 9600 }), []);
    const short = violations(name, secret, { issuerHours: 9598 });
    assert.equal(short.length, 1, "the settings are not those of the rule");
  });

  it("are those of production for the stacks that are named, and for no others", () => {
    const ofDev = resource(NAMESPACE, meshed(), { urn: `urn:pulumi:dev::linkerd-mtls::${NAMESPACE}::it` });
    for (const name of ["approved-inbound-policy", "protected-in-production"]) {
      assert.deepEqual(violations(name, ofDev), []);
      assert.equal(violations(name, ofDev, { stacks: ["dev"] }).length, 1);
    }
  });

  it("see what is known beside what a preview does not know", () => {
    const unknown = { get: () => assert.fail("unknown"), enumerable: true };
    const metadata = Object.defineProperty({ name: "web" }, "uid", unknown);
    assert.deepEqual(known({ metadata, list: [1, { a: 2 }] }), {
      metadata: { name: "web", uid: UNKNOWN },
      list: [1, { a: 2 }],
    });
  });
});
