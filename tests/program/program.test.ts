import assert from "node:assert/strict";

import { CONTROL_PLANE_RULES } from "../../components/controlPlane/chartRules";
import program from "../../index";
import { ApiServer, status } from "../support/apiServer";
import { testAnchor, testIssuer } from "../support/certificates";
import { unknownValues } from "../support/chartValues";
import { assertGolden, withoutPems } from "../support/golden";
import { record, type Recorded, type Recording } from "../support/recorder";
import { stackConfig } from "../support/stackConfig";

function deployProd(values: Record<string, string>): Promise<Recording> {
  return record(program, {
    stack: "prod",
    config: { ...stackConfig("prod"), ...values },
    secretKeys: ["linkerd-mtls:issuerKey"],
  });
}

describe("the program", () => {
  let dev: Recording;
  let prod: Recording;
  const provided = new Map<string, string>();
  let issuerKey: string;

  before(async () => {
    dev = await record(program, { stack: "dev", config: stackConfig("dev") });

    const anchor = await testAnchor();
    const issuer = await testIssuer(anchor);
    provided.set("anchor", anchor.certPem).set("issuer", issuer.certPem);
    issuerKey = issuer.keyPem;
    prod = await deployProd({
      "linkerd-mtls:trustAnchors": JSON.stringify([{ id: "2026", certificate: anchor.certPem }]),
      "linkerd-mtls:issuerCertificate": issuer.certPem,
      "linkerd-mtls:issuerKey": issuer.keyPem,
    });
  });

  const values = (recording: Recording): unknown =>
    recording.get("Release", "linkerd-control-plane-release").inputs.values;

  describe("Helm values", () => {
    it("of dev are as recorded", () => {
      assertGolden("dev.values.yaml", withoutPems(values(dev), dev.pems));
    });

    it("of prod are as recorded", () => {
      assertGolden("prod.values.yaml", withoutPems(values(prod), new Map([...prod.pems, ...provided])));
    });

    it("are all known to the chart", () => {
      assert.deepEqual(unknownValues(values(dev), CONTROL_PLANE_RULES), []);
      // `linkerd check` reads it in the release's values; no template does.
      assert.deepEqual(unknownValues(values(prod), CONTROL_PLANE_RULES), ["highAvailability"]);
    });
  });

  it("asks for these resources in dev", () => {
    assertGolden("dev.resources.yaml", dev.names().slice(1).sort());
  });

  it("asks for these resources in prod, where nothing is generated but the webhooks' certificates", () => {
    assertGolden("prod.resources.yaml", prod.names().slice(1).sort());
  });

  it("has the Kubernetes provider started while it looks at the cluster", () => {
    assert.deepEqual(dev.calls, ["kubernetes:yaml:decode"]);
  });

  it("can be run again in the same process, with the same result", async () => {
    const again = await record(program, { stack: "dev", config: stackConfig("dev") });
    assert.deepEqual(again.names().sort(), dev.names().sort());
  });

  describe("order", () => {
    const namespace = ["Namespace", "linkerd-namespace"];
    const crds = ["Release", "linkerd-crds-release"];
    const controlPlane = ["Release", "linkerd-control-plane-release"];
    const gate = ["RandomId", "linkerd-gate-opened"];
    const meshedNamespace = ["Namespace", "hello-world-namespace"];
    const policy = ["ValidatingAdmissionPolicy", "linkerd-guard-policy"];
    const binding = ["ValidatingAdmissionPolicyBinding", "linkerd-guard-binding"];
    const edges: [earlier: string[], later: string[]][] = [
      [
        ["SelfSignedCert", "linkerd-trust-anchor-2026-certificate"],
        ["LocallySignedCert", "linkerd-identity-issuer-certificate"],
      ],
      [namespace, crds],
      [namespace, ["Secret", "linkerd-identity-issuer-secret"]],
      [crds, controlPlane],
      [["Secret", "linkerd-identity-issuer-secret"], controlPlane],
      [["Secret", "linkerd-webhooks-linkerd-proxy-injector-secret"], controlPlane],
      [["Secret", "linkerd-webhooks-linkerd-sp-validator-secret"], controlPlane],
      [["Secret", "linkerd-webhooks-linkerd-policy-validator-secret"], controlPlane],
      [policy, controlPlane],
      [binding, controlPlane],
      [controlPlane, gate],
      [gate, meshedNamespace],
      [policy, meshedNamespace],
      [binding, meshedNamespace],
      [meshedNamespace, ["Deployment", "hello-deployment"]],
      [meshedNamespace, ["Deployment", "world-deployment"]],
      [meshedNamespace, ["Service", "world-service"]],
      [gate, ["Deployment", "hello-deployment"]],
    ];
    for (const [earlier, later] of edges) {
      it(`${earlier.join(" ")} before ${later.join(" ")}`, () => {
        const find = ([type = "", name = ""]: string[]): Recorded => dev.get(type, name);
        assert.ok(dev.isAfter(find(later), find(earlier)));
        assert.ok(!dev.isAfter(find(earlier), find(later)));
      });
    }
  });

  it("has the gate asked before every roll-out in a meshed namespace", () => {
    const deployments = dev.resources.filter(({ type }) => type === "kubernetes:apps/v1:Deployment");
    assert.equal(deployments.length, 2);
    for (const { hooks } of deployments) {
      assert.deepEqual(hooks, { beforeCreate: ["linkerd-gate"], beforeUpdate: ["linkerd-gate"] });
    }
  });

  it("asks the gate again when the control plane changes", async () => {
    const keepers = (recording: Recording): unknown =>
      recording.get("RandomId", "linkerd-gate-opened").inputs.keepers;
    const upgraded = await record(program, {
      stack: "dev",
      config: { ...stackConfig("dev"), "linkerd-mtls:linkerdVersion": "edge-26.8.3" },
    });
    assert.notDeepEqual(keepers(upgraded), keepers(dev));
  });

  it("signs with the chosen anchor, and bundles all of them in order", async () => {
    const recording = await record(program, {
      stack: "dev",
      config: {
        ...stackConfig("dev"),
        "linkerd-mtls:trustAnchors": '[{"id":"2026"},{"id":"2027"}]',
        "linkerd-mtls:signingAnchor": "2027",
      },
    });
    const pem = (name: string): string => `${recording.pems.get(name)?.trim() ?? ""}\n`;
    const { caCertPem } = recording.get("LocallySignedCert", "linkerd-identity-issuer-certificate").inputs;
    assert.equal(caCertPem, recording.pems.get("linkerd-trust-anchor-2027-certificate"));
    assert.equal(
      (values(recording) as { identityTrustAnchorsPEM: string }).identityTrustAnchorsPEM,
      pem("linkerd-trust-anchor-2026-certificate") + pem("linkerd-trust-anchor-2027-certificate"),
    );
  });

  it("does what each key says", async () => {
    const server = new ApiServer();
    await server.listen();
    const kubeconfig = server.kubeconfig();
    const none = status(404, "not found");
    server.answers = {
      "GET /api/v1/namespaces/kube-system": { body: {} },
      "GET /api/v1/namespaces/linkerd/configmaps/linkerd-identity-trust-roots": none,
      "GET /api/v1/namespaces/linkerd/configmaps/linkerd-config": none,
      "GET /api/v1/namespaces/linkerd/secrets/linkerd-identity-issuer": none,
    };
    const recording = await record(program, {
      config: {
        "linkerd-mtls:linkerdVersion": "edge-26.8.3",
        "linkerd-mtls:chartSource": "oci://registry.example.org",
        "linkerd-mtls:trustDomain": "example.org",
        "linkerd-mtls:trustAnchors": '[{"id":"a","generation":2,"validityHours":6}]',
        "linkerd-mtls:issuanceLifetime": "1h",
        "linkerd-mtls:issuer": '{"generation":4,"validityHours":5}',
        "linkerd-mtls:webhookCertificates": '{"generation":6,"validityHours":7}',
        "linkerd-mtls:guardMode": "audit",
        "linkerd-mtls:gateDeadlineSeconds": "1",
        "kubernetes:kubeconfig": kubeconfig,
        "kubernetes:context": "other",
      },
    });
    server.close();
    const input = (type: string, name: string, property: string): unknown =>
      recording.get(type, name).inputs[property];
    for (const chart of ["linkerd-crds", "linkerd-control-plane"]) {
      assert.equal(input("Release", `${chart}-release`, "chart"), `oci://registry.example.org/${chart}`);
      assert.equal(input("Release", `${chart}-release`, "version"), "2026.8.3");
    }
    assert.equal((values(recording) as { identityTrustDomain: string }).identityTrustDomain, "example.org");
    assert.deepEqual(input("CertRequest", "linkerd-identity-issuer-request", "dnsNames"), [
      "identity.linkerd.example.org",
    ]);
    const issued = {
      "linkerd-trust-anchor-a": [2, 6],
      "linkerd-identity-issuer": [4, 5],
      "linkerd-webhooks-linkerd-sp-validator": [6, 7],
    };
    for (const [name, [generation, validityHours]] of Object.entries(issued)) {
      const type = name === "linkerd-trust-anchor-a" ? "SelfSignedCert" : "LocallySignedCert";
      assert.equal(recording.get("PrivateKey", `${name}-key`).replacementTrigger, generation);
      assert.equal(input(type, `${name}-certificate`, "validityPeriodHours"), validityHours);
    }
    assert.deepEqual(input("ValidatingAdmissionPolicyBinding", "linkerd-guard-binding", "spec"), {
      policyName: "linkerd-mesh-guard",
      validationActions: ["Audit"],
    });
    const gate = recording.hooks.get("linkerd-gate");
    await assert.rejects(
      Promise.resolve(gate?.callback({ urn: "", id: "", name: "", type: "" })),
      /\(deadline 1 s\)\n {2}last answer: the API server cannot be reached: .*ECONNREFUSED 127\.0\.0\.1/,
    );
  });

  it("gives fingerprints and ends of certificates, and nothing secret", () => {
    const outputs = dev.outputs as Record<string, Record<string, unknown>>;
    assert.deepEqual(Object.keys(outputs), [
      "trustAnchors",
      "issuer",
      "webhookCertificates",
      "webhookCas",
      "trustDomain",
      "chartVersions",
      "meshedNamespaces",
    ]);
    assert.deepEqual(Object.keys(outputs.trustAnchors ?? {}), ["2026"]);
    assert.deepEqual(Object.keys(outputs.webhookCertificates ?? {}), [
      "linkerd-proxy-injector",
      "linkerd-sp-validator",
      "linkerd-policy-validator",
    ]);
    assert.deepEqual(Object.keys((outputs.webhookCas as Record<string, object>).linkerd ?? {}), ["1"]);
    assert.match(String(outputs.issuer?.fingerprint), /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    assert.match(String(outputs.issuer?.notAfter), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
    assert.deepEqual(outputs.chartVersions, {
      "linkerd-crds": "2026.6.3",
      "linkerd-control-plane": "2026.6.3",
    });
    assert.deepEqual(outputs.meshedNamespaces, ["hello-world"]);
    assert.equal(outputs.trustDomain, "cluster.local");
  });

  it("hands on private keys only as secrets", () => {
    for (const recording of [dev, prod]) {
      for (const { name, inputs, secretInputs } of recording.resources) {
        for (const [property, value] of Object.entries(inputs)) {
          const text = JSON.stringify(value);
          const holdsKey =
            text.includes("key of ") || text.includes(JSON.stringify(issuerKey.trim()).slice(1, -1));
          assert.ok(
            !holdsKey || secretInputs.includes(property),
            `${name}.${property} holds a key in plaintext`,
          );
        }
      }
      assert.ok(!/key of |PRIVATE KEY/.test(JSON.stringify(recording.outputs)));
    }
    // Or this test would prove nothing.
    assert.ok(JSON.stringify(prod.resources).includes(JSON.stringify(issuerKey.trim()).slice(1, -1)));
  });

  it("does not start in prod without its certificates, and names the commands that set them", async () => {
    await assert.rejects(deployProd({}), (error: Error) => {
      assert.match(error.message, /stack prod has 3 problems/);
      assert.match(error.message, /pulumi config set --secret linkerd-mtls:issuerKey < issuer\.key/);
      return true;
    });
  });
});
