import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";

import * as pulumi from "@pulumi/pulumi";

import { LinkerdMesh, type LinkerdMeshArgs, MeshedWorkload } from "../../components";
import type { DeployedMesh } from "../../components/controlPlane/deployedMesh";
import { ApiServer } from "../support/apiServer";
import { caName, type DeployedWebhook } from "../../components/pki/webhookChange";
import { testAnchor, testCertificate, type TestCertificate, testIssuer } from "../support/certificates";
import { STACK } from "../support/mark";
import { record, type Recording } from "../support/recorder";

const deploy = (args: Omit<LinkerdMeshArgs, "cluster"> = {}): Promise<Recording> =>
  record(() => new LinkerdMesh("mesh", { cluster: {}, ...args }).meshedNamespaces);

const HOOK_ARGS: pulumi.ResourceHookArgs = { urn: "urn", id: "", name: "gate-opened", type: "RandomId" };

describe("LinkerdMesh", () => {
  it("is a whole mesh from a cluster alone", async () => {
    const recording = await deploy();
    for (const [type, name] of [
      ["SelfSignedCert", "mesh-trust-anchor-primary-certificate"],
      ["Secret", "mesh-identity-issuer-secret"],
      ["Release", "mesh-crds-release"],
      ["Release", "mesh-control-plane-release"],
      ["RandomId", "mesh-gate-opened"],
    ] as const) {
      assert.ok(recording.get(type, name), name);
    }
    const { values } = recording.get("Release", "mesh-control-plane-release").inputs;
    assert.equal((values as { identityTrustDomain: string }).identityTrustDomain, "cluster.local");
    assert.deepEqual(recording.outputs, []);
  });

  it("makes one namespace for cert-manager and trust-manager where they share it", async () => {
    const trustManager = { install: true, namespace: "cert-manager" };
    const recording = await deploy({
      rotation: { certManager: { install: true }, identity: {}, trustManager },
    });
    const named = recording.resources.filter(
      ({ inputs }) => (inputs.metadata as { name?: string } | undefined)?.name === "cert-manager",
    );
    assert.deepEqual(named.map(({ type }) => type).sort(), [
      "kubernetes:core/v1:Namespace",
      "kubernetes:core/v1:NamespacePatch",
    ]);
    const patch = recording.get("NamespacePatch", "mesh-trust-manager-namespace");
    assert.ok(recording.isAfter(patch, recording.get("Namespace", "mesh-cert-manager-namespace")));
    // What made the namespace a second time goes on as the patch, and deletes nothing.
    assert.deepEqual(patch.formerTypes, ["kubernetes:core/v1:Namespace"]);
    const release = recording.get("Release", "mesh-trust-manager-release");
    assert.equal(release.inputs.namespace, "cert-manager");
  });

  it("only patches the namespace of a cert-manager of others where trust-manager shares it", async () => {
    const recording = await deploy({
      rotation: {
        certManager: { install: false, namespace: "certs" },
        identity: {},
        trustManager: { install: true, namespace: "certs" },
      },
    });
    const named = recording.resources.filter(
      ({ inputs }) => (inputs.metadata as { name?: string } | undefined)?.name === "certs",
    );
    assert.deepEqual(
      named.map(({ type, inputs }) => [type, inputs.metadata]),
      [
        [
          "kubernetes:core/v1:NamespacePatch",
          {
            name: "certs",
            labels: { "config.linkerd.io/admission-webhooks": "disabled" },
            annotations: { "linkerd-mtls/stack.trust-manager": STACK },
          },
        ],
      ],
    );
    assert.equal(recording.get("Release", "mesh-trust-manager-release").inputs.namespace, "certs");
  });

  it("signs with the key of the only anchor, which is provided", async () => {
    const { certPem, keyPem } = await testAnchor();
    const recording = await deploy({
      trustAnchors: [{ id: "own", certificate: certPem }],
      trustAnchorKey: keyPem,
    });
    const { inputs, secretInputs } = recording.get("LocallySignedCert", "mesh-identity-issuer-certificate");
    assert.equal(inputs.caPrivateKeyPem, keyPem);
    assert.deepEqual(secretInputs, ["caPrivateKeyPem"]);
  });

  it("refuses an anchor without a key where no issuer is provided", async () => {
    const { certPem } = await testAnchor();
    await assert.rejects(deploy({ trustAnchors: [{ id: "own", certificate: certPem }] }), {
      propertyPath: "signingAnchor",
    });
  });

  it("deploys namespaces behind its gate, and is the mesh of workloads of one's own", async () => {
    const podSpec = { containers: [{ name: "api", image: "api:1" }] };
    const recording = await record(() => {
      const mesh = new LinkerdMesh("mesh", {
        cluster: {},
        namespaces: [{ name: "payments", workloads: [{ name: "api", podSpec }] }],
      });
      new MeshedWorkload("own", { namespace: "payments", podSpec, mesh });
      return mesh.meshedNamespaces;
    });
    assert.deepEqual(recording.outputs, ["payments"]);
    const gate = recording.get("RandomId", "mesh-gate-opened");
    for (const name of ["mesh-payments/api-deployment", "own-deployment"]) {
      const deployment = recording.get("Deployment", name);
      assert.deepEqual(deployment.hooks, { beforeCreate: ["mesh-gate"], beforeUpdate: ["mesh-gate"] });
      assert.ok(recording.isAfter(deployment, gate), name);
    }
  });

  describe("the namespace in which its gates try a pod", () => {
    const server = new ApiServer();
    before(() => server.listen());
    after(() => {
      server.close();
    });

    /** The namespaces that its gates ask about, in order. */
    async function asked(args: Omit<LinkerdMeshArgs, "cluster">): Promise<string[]> {
      const cluster = { kubeconfig: server.kubeconfig() };
      const { hooks, pems } = await record(
        () => new LinkerdMesh("mesh", { cluster, ...args }).meshedNamespaces,
      );
      const anchor = pems.get("mesh-trust-anchor-primary-certificate");
      const env = [
        { name: "LINKERD2_PROXY_TAP_SVC_NAME" },
        { name: "LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS", value: anchor },
      ];
      const pod = {
        metadata: { annotations: { "viz.linkerd.io/tap-enabled": "true" } },
        spec: { containers: [{ name: "linkerd-proxy", env }] },
      };
      server.requests = [];
      server.answers = Object.fromEntries(
        ["default", "first", "second", "own"].map((name) => [
          `POST /api/v1/namespaces/${name}/pods?dryRun=All`,
          { body: pod },
        ]),
      );
      const namespaces: (string | undefined)[] = [];
      for (const name of ["mesh-gate", "mesh-viz-gate"]) {
        await hooks.get(name)?.callback(HOOK_ARGS);
        namespaces.push(/namespaces\/(\w+)\//.exec(server.requests.at(-1)?.line ?? "")?.[1]);
      }
      return namespaces.filter((name) => name !== undefined);
    }

    it("is the first that exists already and is meshed", async () => {
      const namespaces = [
        { name: "made" },
        { name: "other", existing: true, inject: "disabled" },
        { name: "first", existing: true, inject: "enabled" },
        { name: "second", existing: true, inject: "ingress" },
      ] as const;
      assert.deepEqual(await asked({ viz: {}, namespaces }), ["first", "first"]);
      assert.deepEqual(await asked({ viz: {}, namespaces, gateNamespace: "own" }), ["own", "own"]);
    });

    it("is default where none is", async () => {
      assert.deepEqual(await asked({ viz: {}, namespaces: [{ name: "made" }] }), ["default", "default"]);
    });
  });

  describe("on a cluster that has one", () => {
    const TRUST_GATE = "mesh-trust-unbroken";

    async function deployed(...anchors: readonly TestCertificate[]): Promise<DeployedMesh> {
      const [signer] = anchors;
      assert.ok(signer);
      const pems = [await testIssuer(signer), ...anchors].map(({ certPem }) => new X509Certificate(certPem));
      return { trustDomain: "cluster.local", anchors: pems.slice(1), issuer: pems.slice(0, 1) };
    }

    /** What a hook of a resource says. */
    async function ask(recording: Recording, type: string, name: string): Promise<void> {
      const [hook = ""] = recording.get(type, name).hooks.beforeCreate;
      await recording.hooks.get(hook)?.callback({ urn: "", id: "", name, type, newInputs: {} });
    }

    it("refuses a new signing anchor before its key is made", async () => {
      const recording = await deploy({
        deployed: await deployed(await testAnchor()),
        trustAnchors: [{ id: "old" }, { id: "new" }],
        signingAnchor: "new",
      });
      const refusal = { message: /the issuer is signed by anchor new/ };
      await assert.rejects(ask(recording, "RandomId", "mesh-trust-anchor-new-generation"), refusal);
      await assert.rejects(ask(recording, "PrivateKey", "mesh-trust-anchor-new-key"), refusal);
      await assert.rejects(ask(recording, "SelfSignedCert", "mesh-trust-anchor-new-certificate"), refusal);
      assert.deepEqual(recording.get("PrivateKey", "mesh-trust-anchor-old-key").hooks.beforeCreate, []);
    });

    it("refuses provided trust that cuts traffic before a Secret or the control plane is changed", async () => {
      const [old, next] = [await testAnchor(), await testAnchor()];
      const issuer = await testIssuer(next);
      const provided = (certificates: readonly TestCertificate[]) =>
        ({
          trustAnchors: certificates.map(({ certPem }, index) => ({ id: `a${index}`, certificate: certPem })),
          providedIssuer: { certificate: issuer.certPem, privateKey: issuer.keyPem },
        }) as const;
      const cut = await deploy({ deployed: await deployed(old), ...provided([old, next]) });
      await assert.rejects(ask(cut, "RandomId", TRUST_GATE), { message: /issuerCertificate is signed by/ });
      const gate = cut.get("RandomId", TRUST_GATE);
      for (const [type, name] of [
        ["Secret", "mesh-identity-issuer-secret"],
        ["Release", "mesh-control-plane-release"],
      ] as const) {
        assert.ok(cut.isAfter(cut.get(type, name), gate), name);
      }
      // A cluster that is known to have no trust has nothing to be cut; of one that is not known, the gate is asked.
      const waits = (mesh: Recording): boolean =>
        mesh.isAfter(mesh.get("Secret", "mesh-identity-issuer-secret"), mesh.get("RandomId", TRUST_GATE));
      assert.equal(
        waits(await deploy({ deployed: { anchors: [], issuer: [] }, ...provided([next]) })),
        false,
      );
      assert.equal(waits(await deploy(provided([next]))), true);
      const staged = await deploy({ deployed: await deployed(old, next), ...provided([old, next]) });
      await ask(staged, "RandomId", TRUST_GATE);
      assert.notDeepEqual(
        staged.get("RandomId", TRUST_GATE).inputs.keepers,
        (await deploy(provided([next]))).get("RandomId", TRUST_GATE).inputs.keepers,
      );
    });

    it("refuses CAs of webhooks, of the control plane and of viz, that the API server would not trust", async () => {
      const webhook = async (namespace: string, service: string): Promise<DeployedWebhook> => {
        const ca = await testCertificate(caName(namespace));
        const leaf = await testCertificate(service, { signer: ca, isCa: false });
        const [cas, serving] = [[new X509Certificate(ca.certPem)], new X509Certificate(leaf.certPem)];
        return { namespace, service, cas, serving };
      };
      const [injector, tap] = [
        await webhook("linkerd", "linkerd-proxy-injector"),
        await webhook("linkerd-viz", "tap"),
      ];
      const recording = await deploy({
        viz: {},
        deployed: {
          ...(await deployed(await testAnchor())),
          readWebhooks: () => Promise.resolve([injector, tap]),
        },
        webhookCertificates: { cas: [2] },
      });
      for (const [name, service] of [
        ["mesh-webhooks", "linkerd/linkerd-proxy-injector"],
        ["mesh-viz-webhooks", "linkerd-viz/tap"],
      ] as const) {
        const message = new RegExp(`the certificate of ${service} is signed by CA 1, which would be dropped`);
        await assert.rejects(ask(recording, "RandomId", `${name}-cas-unbroken`), { message });
        const certificate = `${name}-${service.replace(/.*\//, "")}-certificate`;
        await assert.rejects(ask(recording, "LocallySignedCert", certificate), { message });
      }
      const gate = recording.get("RandomId", "mesh-webhooks-cas-unbroken");
      assert.ok(recording.isAfter(recording.get("Release", "mesh-control-plane-release"), gate));
    });
  });
});
