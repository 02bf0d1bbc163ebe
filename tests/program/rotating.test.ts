import assert from "node:assert/strict";

import { CONTROL_PLANE_RULES } from "../../components/controlPlane/chartRules";
import program from "../../index";
import { unknownValues } from "../support/chartValues";
import { assertGolden, withoutPems } from "../support/golden";
import { record, type Recording } from "../support/recorder";
import { stackConfig } from "../support/stackConfig";

const deploy = (values: Record<string, string> = {}): Promise<Recording> =>
  record(program, { stack: "rotating", config: { ...stackConfig("rotating"), ...values } });

describe("the program with cert-manager", () => {
  let rotating: Recording;
  let generated: Recording;

  before(async () => {
    rotating = await deploy({ "linkerd-mtls:viz": '{"enabled":true}' });
    generated = await deploy({
      "linkerd-mtls:viz": '{"enabled":true}',
      "linkerd-mtls:certificates": "generated",
    });
  });

  it("asks for these resources", () => {
    assertGolden("rotating.resources.yaml", rotating.names().sort());
  });

  it("gives the chart these values, with proxyInit for hosts that have nftables", () => {
    const { values } = rotating.get("Release", "linkerd-control-plane-release").inputs;
    assertGolden("rotating.values.yaml", withoutPems(values, rotating.pems));
    assert.deepEqual(unknownValues(values, CONTROL_PLANE_RULES), []);
  });

  it("tells the control plane the same as with generated certificates", () => {
    const values = (recording: Recording, release: string): string => {
      const text = JSON.stringify(recording.get("Release", release).inputs.values);
      return [...recording.pems].reduce(
        (result, [name, pem]) => result.replaceAll(JSON.stringify(pem.trim()).slice(1, -1), name),
        text,
      );
    };
    for (const release of ["linkerd-control-plane-release", "linkerd-viz-release"]) {
      assert.ok(values(rotating, release).includes("webhooks-ca-certificate"));
      // The hash of the bundle differs, because each run makes an anchor.
      const withoutHash = (text: string): string => text.replace(/[0-9a-f]{16}/, "");
      assert.equal(withoutHash(values(rotating, release)), withoutHash(values(generated, release)));
    }
  });

  it("installs cert-manager first, and the control plane after the certificates are Ready", () => {
    const certManager = rotating.get("Release", "linkerd-cert-manager-release");
    const plane = rotating.get("Release", "linkerd-control-plane-release");
    const viz = rotating.get("Release", "linkerd-viz-release");
    const certificates = rotating.resources.filter(({ type }) => type.endsWith(":Certificate"));
    assert.equal(certificates.length, 6);
    for (const certificate of certificates) {
      const user = certificate.name.includes("viz") ? viz : plane;
      assert.ok(rotating.isAfter(user, certificate), certificate.name);
      assert.ok(rotating.isAfter(certificate, certManager), certificate.name);
    }
    for (const [user, gate] of [
      [plane, "linkerd-identity-issuer-ready"],
      [plane, "linkerd-webhooks-ready"],
      [viz, "linkerd-viz-webhooks-ready"],
    ] as const) {
      assert.ok(rotating.isAfter(user, rotating.get("RandomId", gate)), gate);
    }
  });

  it("has each Secret take over from the Certificate of its name, and stay when it is let go of", () => {
    const certificates = rotating.resources.filter(({ type }) => type.endsWith(":Certificate"));
    const taken = certificates.map((certificate) => {
      const secretOf = generated.resources.filter(
        ({ parent, formerTypes, formerNames }) =>
          parent === certificate.parent &&
          formerTypes.join() === certificate.type &&
          formerNames.join() === certificate.name,
      );
      const [secret] = secretOf;
      assert.equal(secretOf.length, 1, certificate.urn);
      assert.ok(secret);
      const { metadata } = secret.inputs as { metadata: { name: string } };
      const { spec } = certificate.inputs as { spec: { secretName: string } };
      assert.equal(metadata.name, spec.secretName);
      const { replaceOnChanges, deleteBeforeReplace, retainOnDelete } = secret;
      assert.deepEqual(
        { replaceOnChanges, deleteBeforeReplace, retainOnDelete },
        { replaceOnChanges: ["kind"], deleteBeforeReplace: true, retainOnDelete: true },
      );
      return metadata.name;
    });
    assert.deepEqual(taken.sort(), [
      "linkerd-identity-issuer",
      "linkerd-policy-validator-k8s-tls",
      "linkerd-proxy-injector-k8s-tls",
      "linkerd-sp-validator-k8s-tls",
      "tap-injector-k8s-tls",
      "tap-k8s-tls",
    ]);
  });

  it("shows no certificate that it does not know, and no key", () => {
    const outputs = rotating.outputs as Record<string, object>;
    assert.equal(outputs.issuer, undefined);
    assert.deepEqual(outputs.webhookCertificates, {});
    assert.ok(!/key of |PRIVATE KEY/.test(JSON.stringify(outputs)));
    for (const { name, inputs, secretInputs } of rotating.resources) {
      for (const [property, value] of Object.entries(inputs)) {
        const plain = JSON.stringify(value).includes("key of ") && !secretInputs.includes(property);
        assert.ok(!plain, `${name}.${property} holds a key in plaintext`);
      }
    }
  });

  it("has trust-manager write the trust bundle before the control plane, which rolls with it", async () => {
    const recording = await deploy({
      "linkerd-mtls:trustManager": '{"enabled":true}',
      "linkerd-mtls:trustAnchors": '[{"id":"2026"},{"id":"2027"}]',
      "linkerd-mtls:signingAnchor": "2026",
    });
    const added = recording.names().filter((name) => /trust-manager|trust-roots/.test(name));
    assert.deepEqual(added.sort(), [
      "kubernetes:core/v1:Namespace linkerd-trust-manager-namespace",
      "kubernetes:helm.sh/v3:Release linkerd-trust-manager-release",
      "kubernetes:trust.cert-manager.io/v1alpha1:Bundle linkerd-trust-roots-bundle",
      "linkerd-mtls:index:TrustManager linkerd-trust-manager",
      "linkerd-mtls:index:TrustManagerBundle linkerd-trust-roots",
      "random:index/randomId:RandomId linkerd-trust-roots-synced",
    ]);
    const order = [
      recording.get("Release", "linkerd-cert-manager-release"),
      recording.get("Release", "linkerd-trust-manager-release"),
      recording.get("Bundle", "linkerd-trust-roots-bundle"),
      recording.get("RandomId", "linkerd-trust-roots-synced"),
      recording.get("Release", "linkerd-control-plane-release"),
    ];
    for (const [index, later] of order.slice(1).entries()) {
      const earlier = order[index];
      assert.ok(earlier && recording.isAfter(later, earlier), later.name);
    }
    const bundle = recording.get("Bundle", "linkerd-trust-roots-bundle");
    assert.ok(recording.isAfter(bundle, recording.get("Namespace", "linkerd-namespace")));
    const pems = ["linkerd-trust-anchor-2026-certificate", "linkerd-trust-anchor-2027-certificate"].map(
      (name) => (recording.pems.get(name) ?? "").trim(),
    );
    const { sources } = bundle.inputs.spec as { sources: { inLine: string }[] };
    assert.deepEqual(
      sources.map(({ inLine }) => inLine.trim()),
      pems,
    );
    const values = recording.get("Release", "linkerd-control-plane-release").inputs.values as {
      identity: { externalCA: boolean };
      identityTrustAnchorsPEM: string;
    };
    assert.equal(values.identity.externalCA, true);
    assert.deepEqual(unknownValues(values, CONTROL_PLANE_RULES), []);
    const given = values.identityTrustAnchorsPEM.split(/(?<=-----END CERTIFICATE-----)\n/).slice(0, -1);
    assert.deepEqual(given.toSorted(), pems.toSorted());
  });

  it("installs no trust-manager where one exists", async () => {
    const recording = await deploy({ "linkerd-mtls:trustManager": '{"enabled":true,"install":false}' });
    assert.ok(recording.get("Bundle", "linkerd-trust-roots-bundle"));
    assert.ok(!recording.names().some((name) => name.includes("linkerd-trust-manager-release")));
  });

  it("installs nothing where cert-manager exists", async () => {
    const recording = await deploy({ "linkerd-mtls:certManager": '{"install":false}' });
    assert.ok(!recording.names().some((name) => name.includes("linkerd-cert-manager-release")));
    assert.ok(recording.get("Certificate", "linkerd-identity-issuer-certificate"));
  });
});
