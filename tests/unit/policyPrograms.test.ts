import assert from "node:assert/strict";

import { RULES } from "../../policy/rules";
import { resourcesOf, violationsOf } from "../../tools/policy/state";
import program from "../../index";
import { testAnchor, testIssuer } from "../support/certificates";
import { record, type Recording } from "../support/recorder";
import { stackConfig } from "../support/stackConfig";

/** What the pack finds in what a program asks the engine for. */
function found(recording: Recording): string[] {
  const resources = recording.resources.map(({ type, urn, inputs, protect }) => ({
    type,
    urn,
    props: inputs,
    isProtected: protect,
  }));
  return violationsOf(resources, RULES).map(({ rule, message }) => `${rule.name}: ${message.slice(0, 60)}`);
}

const deploy = (stack: string, config: Readonly<Record<string, string>> = {}): Promise<Recording> =>
  record(program, {
    stack,
    config: { ...stackConfig(stack), ...config },
    secretKeys: ["linkerd-mtls:issuerKey"],
  });

describe("the policy pack over programs", () => {
  let certificates: Readonly<Record<string, string>>;
  before(async () => {
    const anchor = await testAnchor();
    const { certPem, keyPem } = await testIssuer(anchor, { days: [0, 365] });
    certificates = {
      "linkerd-mtls:trustAnchors": JSON.stringify([{ id: "2026", certificate: anchor.certPem }]),
      "linkerd-mtls:issuerCertificate": certPem,
      "linkerd-mtls:issuerKey": keyPem,
    };
  });

  for (const stack of ["dev", "rotating"]) {
    it(`finds nothing in ${stack}`, async () => {
      assert.deepEqual(found(await deploy(stack)), []);
    });
  }

  it("finds nothing in prod, with a namespace whose clients are authenticated, and with certificates of other sources", async () => {
    const namespaces = JSON.stringify([
      { name: "shop", proxy: { defaultInboundPolicy: "all-authenticated" } },
    ]);
    const own = {
      ...certificates,
      "linkerd-mtls:namespaces": namespaces,
      "linkerd-mtls:viz": '{"enabled":true}',
    };
    assert.deepEqual(found(await deploy("prod", own)), []);
    assert.deepEqual(found(await deploy("prod", { "linkerd-mtls:certificates": "generated" })), []);
    const managers = {
      "linkerd-mtls:certificates": "cert-manager",
      "linkerd-mtls:trustManager": '{"enabled":true}',
    };
    assert.deepEqual(found(await deploy("prod", managers)), []);
  });

  it("finds in prod what its configuration weakens", async () => {
    const weakened = await deploy("prod", {
      "linkerd-mtls:certificates": "generated",
      "linkerd-mtls:trustAnchors": '[{"id":"2026","validityHours":175200}]',
      "linkerd-mtls:issuer": '{"validityHours":17520}',
      "linkerd-mtls:issuanceLifetime": "48h",
      "linkerd-mtls:webhookFailurePolicy": "Ignore",
      "linkerd-mtls:guardMode": "warn",
      "linkerd-mtls:protect": "false",
      "linkerd-mtls:namespaces": JSON.stringify([
        {
          name: "shop",
          workloads: [{ name: "web", podSpec: { containers: [{ name: "web", image: "web:latest" }] } }],
        },
      ]),
    });
    const names = found(weakened).map((line) => line.split(":")[0] ?? "");
    const counts = Object.fromEntries(
      [...new Set(names)].sort().map((name) => [name, names.filter((other) => other === name).length]),
    );
    assert.deepEqual(counts, {
      "approved-inbound-policy": 1,
      "certificate-lifetimes": 3,
      "fail-closed": 2,
      "pinned-versions": 1,
      "protected-in-production": 4,
    });
  });
});

describe("the policy pack over an exported state", () => {
  const SIGNATURE = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };
  const KEY = "-----BEGIN EC PRIVATE KEY-----\nMHc=\n-----END EC PRIVATE KEY-----\n";
  const state = (data: unknown) => ({
    version: 3,
    deployment: {
      resources: [
        { urn: "urn:pulumi:prod::p::pulumi:pulumi:Stack::prod", type: "pulumi:pulumi:Stack" },
        {
          urn: "urn:pulumi:prod::p::kubernetes:core/v1:Namespace::shop",
          type: "kubernetes:core/v1:Namespace",
          protect: true,
          inputs: { metadata: { name: "shop" } },
        },
        {
          urn: "urn:pulumi:prod::p::kubernetes:core/v1:ConfigMap::keys",
          type: "kubernetes:core/v1:ConfigMap",
          inputs: { data },
        },
      ],
    },
  });
  const rules = (data: unknown) => violationsOf(resourcesOf(state(data)), RULES).map(({ rule }) => rule.name);

  it("reads protection and inputs, and secrets where they were exported in plaintext", () => {
    assert.deepEqual(rules({ key: "none" }), []);
    assert.deepEqual(rules({ key: KEY }), ["keys-in-secrets-only"]);
    assert.deepEqual(rules({ ...SIGNATURE, ciphertext: "v1:abc" }), []);
    assert.deepEqual(rules({ ...SIGNATURE, plaintext: JSON.stringify({ key: KEY }) }), [
      "keys-in-secrets-only",
    ]);
  });

  it("takes settings by the name of a rule", () => {
    const { deployment } = state({});
    const unprotected = {
      deployment: { resources: deployment.resources.map((resource) => ({ ...resource, protect: false })) },
    };
    const resources = resourcesOf(unprotected);
    assert.equal(violationsOf(resources, RULES).length, 1);
    assert.equal(
      violationsOf(resources, RULES, { "protected-in-production": { stacks: ["other"] } }).length,
      0,
    );
  });

  it("refuses what is no state", () => {
    assert.throws(
      () => resourcesOf({ resources: [] }),
      /it has no deployment, which the output of pulumi stack export has/,
    );
  });
});
