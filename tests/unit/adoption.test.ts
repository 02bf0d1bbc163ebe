import assert from "node:assert/strict";

import { LinkerdMesh } from "../../components";
import { ADOPTED_OBJECT } from "../../components/cluster/adoption";
import { decodeRecord, encodeRecord } from "../../components/cluster/helmRecords";
import { withoutKeys } from "../../components/cluster/withoutKeys";
import { testAnchor, type TestCertificate, testIssuer } from "../support/certificates";
import { record, type Recording } from "../support/recorder";

const OBJECTS = [
  "Namespace linkerd",
  "HelmRelease linkerd/linkerd-crds",
  "HelmRelease linkerd/linkerd-control-plane",
  "Secret linkerd/linkerd-identity-issuer",
];

describe("a mesh that is taken over", () => {
  let anchor: TestCertificate;
  let issuer: TestCertificate;
  let former: TestCertificate;

  before(async () => {
    anchor = await testAnchor();
    issuer = await testIssuer(anchor);
    former = await testAnchor();
  });

  const deploy = (objects: readonly string[] = OBJECTS, destroy = false): Promise<Recording> =>
    record(
      () =>
        new LinkerdMesh("mesh", {
          cluster: { adopt: { objects, webhookCas: former.certPem, destroy } },
          trustAnchors: [{ id: "own", certificate: anchor.certPem }],
          providedIssuer: { certificate: issuer.certPem, privateKey: issuer.keyPem },
        }).meshedNamespaces,
    );

  it("patches the namespace and continues the releases, and protects these", async () => {
    const recording = await deploy();
    for (const [type, name] of [
      ["NamespacePatch", "mesh-namespace"],
      ["Release", "mesh-crds-release"],
      ["Release", "mesh-control-plane-release"],
    ] as const) {
      assert.equal(recording.get(type, name).protect, true, name);
    }
    assert.equal(recording.get("Release", "mesh-crds-release").inputs.replace, true);
    assert.equal(recording.get("Release", "mesh-control-plane-release").inputs.replace, true);
    const told = await deploy(OBJECTS, true);
    assert.equal(told.get("NamespacePatch", "mesh-namespace").protect, false);
    assert.equal(told.get("Release", "mesh-control-plane-release").protect, false);
  });

  it("makes what is not named as a stack makes it", async () => {
    const recording = await deploy(["HelmRelease linkerd/linkerd-crds"]);
    assert.equal(recording.get("Namespace", "mesh-namespace").protect, false);
    const { inputs, protect } = recording.get("Release", "mesh-control-plane-release");
    assert.deepEqual([inputs.replace, protect], [undefined, false]);
    const secret = recording.get("Secret", "mesh-identity-issuer-secret").inputs.stringData as object;
    assert.deepEqual(Object.keys(secret).sort(), ["ca.crt", "tls.crt", "tls.key"]);
  });

  it("has the guard refuse unmeshed pods, and the API server trust both CAs, before a Secret changes", async () => {
    const recording = await deploy();
    const injected = recording.get("RandomId", "mesh-adopted-opened");
    const refused = recording.get("RandomId", "mesh-guard-others-enforced");
    const overlap = recording.get("RandomId", "mesh-webhooks-overlap");
    const webhook = recording.get("Secret", "mesh-webhooks-linkerd-proxy-injector-secret");
    const secret = recording.get("Secret", "mesh-identity-issuer-secret");
    const release = recording.get("Release", "mesh-control-plane-release");
    for (const [later, earlier] of [
      [refused, injected],
      [overlap, refused],
      [webhook, overlap],
      [secret, refused],
      [release, webhook],
      [release, secret],
      [recording.get("RandomId", "mesh-control-plane-release-history"), release],
    ] as const) {
      assert.ok(recording.isAfter(later, earlier), `${later.name} after ${earlier.name}`);
    }
  });

  it("goes on to trust the webhooks by the CA before, too", async () => {
    const recording = await deploy();
    const { values } = recording.get("Release", "mesh-control-plane-release").inputs as {
      readonly values: { readonly proxyInjector: { readonly caBundle: string } };
    };
    const { caBundle } = values.proxyInjector;
    assert.ok(caBundle.endsWith(`${former.certPem.trim()}\n`));
    assert.equal(caBundle.match(/BEGIN CERTIFICATE/g)?.length, 2);
  });

  it("keeps the issuer under the names of both schemes, so that identity of either can start", async () => {
    const recording = await deploy();
    const { inputs } = recording.get("Secret", "mesh-identity-issuer-secret");
    const data = inputs.stringData as Readonly<Record<string, string>>;
    assert.equal(inputs.type, "kubernetes.io/tls");
    assert.deepEqual([data["crt.pem"], data["key.pem"]], [data["tls.crt"], data["tls.key"]]);
    assert.equal(data["tls.key"]?.trim(), issuer.keyPem.trim());
  });
});

describe("Helm's records of a release that is taken over", () => {
  it("lose private keys, in plain text and in base64, and nothing else", async () => {
    const { certPem, keyPem } = await testAnchor();
    const sec1 = keyPem.replaceAll("PRIVATE KEY", "EC PRIVATE KEY");
    const encoded = (text: string): string => Buffer.from(text).toString("base64");
    const content = {
      config: { identity: { issuer: { tls: { crtPEM: certPem, keyPEM: sec1 } } }, replicas: 1.5 },
      manifest: `data:\n  tls.crt: ${encoded(certPem)}\n  tls.key: ${encoded(keyPem)}\n`,
      hooks: null,
    };
    const { value, removed } = withoutKeys(decodeRecord(encodeRecord(content)));
    const text = "removed when the release was taken over";
    assert.equal(removed, 2);
    assert.deepEqual(value, {
      config: { identity: { issuer: { tls: { crtPEM: certPem, keyPEM: text } } }, replicas: 1.5 },
      manifest: `data:\n  tls.crt: ${encoded(certPem)}\n  tls.key: ${encoded(text)}\n`,
      hooks: null,
    });
    assert.equal(withoutKeys(value).removed, 0);
  });

  it("are named by their namespace", () => {
    for (const object of OBJECTS) assert.ok(ADOPTED_OBJECT.allows(object), object);
    for (const object of [
      "HelmRelease linkerd-crds",
      "Namespace a/b",
      "ConfigMap linkerd/linkerd-config",
      1,
    ]) {
      assert.ok(!ADOPTED_OBJECT.allows(object), String(object));
    }
  });
});
