import assert from "node:assert/strict";

import { AppsV1Api, CoreV1Api, CustomObjectsApi } from "@kubernetes/client-node";

import { checkIssuer, checkTrustAnchor } from "../../components/rules";
import { sandboxTools } from "../../tools/sandbox/build/tools";
import { linkerdCheck } from "../../tools/sandbox/linkerdCheck";
import { Admissions } from "../support/admissions";
import { configuration, succeed } from "../support/command";
import { eventually } from "../support/eventually";
import { identityEvents } from "../support/identityEvents";
import { useSandbox } from "../support/testSandbox";
import { anchorsOf, pemsOf, TRUST_ROOTS, trustRoots } from "../support/trustBundle";

const CERTIFICATES = {
  group: "cert-manager.io",
  version: "v1",
  plural: "certificates",
  namespace: "linkerd",
};

/** The application that `up` deploys, and where the test creates pods. */
const APPLICATION = "hello-world";

/** cert-manager issues every certificate and gives the CA to the webhooks; trust-manager writes the trust bundle. */
const CONFIGURATION = configuration({
  sampleApplications: [APPLICATION],
  namespaces: [],
  rotatingWebhooks: { caInjection: true },
  trustManager: { enabled: true },
});

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime?: string;
}

interface Certificate {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly secretName: string };
  readonly status: { readonly conditions: readonly Condition[]; readonly revision?: number };
}

describe("certificates that cert-manager issues, and a bundle that trust-manager distributes", () => {
  const sandbox = useSandbox("test-cert-manager");
  const up = (): Promise<string> =>
    succeed("up", "--stack", "rotating", "--name", sandbox.name, ...CONFIGURATION);

  async function certificates(): Promise<Certificate[]> {
    const list: unknown = await sandbox.client(CustomObjectsApi).listNamespacedCustomObject(CERTIFICATES);
    return (list as { items: Certificate[] }).items;
  }

  async function certificatePem(secretName: string): Promise<string> {
    const { data } = await sandbox
      .client(CoreV1Api)
      .readNamespacedSecret({ namespace: "linkerd", name: secretName });
    return data?.["tls.crt"] ?? "";
  }

  /** Starts a renewal as `cmctl renew` does: by the condition that says that one is due. */
  async function renew({ metadata: { name } }: Certificate): Promise<void> {
    const custom = sandbox.client(CustomObjectsApi);
    const found: unknown = await custom.getNamespacedCustomObject({ ...CERTIFICATES, name });
    const body = found as Certificate;
    const due = {
      type: "Issuing",
      status: "True",
      reason: "ManuallyTriggered",
      message: "due",
      lastTransitionTime: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
    };
    const conditions = [...body.status.conditions.filter(({ type }) => type !== "Issuing"), due];
    await custom.replaceNamespacedCustomObjectStatus({
      ...CERTIFICATES,
      name,
      body: { ...body, status: { ...body.status, conditions } },
    });
  }

  it("come up with one command, all issued by cert-manager", async () => {
    assert.match(await up(), /All 2 pods are in the mesh\./);
    const all = await certificates();
    assert.deepEqual(all.map(({ metadata }) => metadata.name).sort(), [
      "linkerd-identity-issuer",
      "linkerd-policy-validator",
      "linkerd-proxy-injector",
      "linkerd-sp-validator",
      "webhook-issuer",
    ]);
    for (const { metadata, status } of all) {
      const ready = status.conditions.find(({ type }) => type === "Ready");
      assert.equal(ready?.status, "True", metadata.name);
      // Issued by cert-manager, and not found in a Secret that existed.
      assert((status.revision ?? 0) >= 1, metadata.name);
    }
  });

  it("are trusted by the bundle that trust-manager wrote before the control plane, and nobody else did", async () => {
    const { metadata, data } = await trustRoots(sandbox);
    assert.deepEqual(
      metadata?.ownerReferences?.map(({ kind, name }) => `${kind} ${name}`),
      [`Bundle ${TRUST_ROOTS}`],
    );
    const bundle = pemsOf(data?.["ca-bundle.crt"]);
    assert.equal(bundle.length, 1);
    const { items } = await sandbox.client(CoreV1Api).listNamespacedPod({ namespace: APPLICATION });
    for (const pod of items) assert.equal(anchorsOf(pod), bundle.join("\n"));
    const { metadata: identity } = await sandbox
      .client(AppsV1Api)
      .readNamespacedDeployment({ namespace: "linkerd", name: "linkerd-identity" });
    assert(Number(metadata.creationTimestamp) <= Number(identity?.creationTimestamp));
  });

  it("have an issuer that the rules for a provided one accept, as identity does", async () => {
    const issuer = Buffer.from(await certificatePem("linkerd-identity-issuer"), "base64").toString();
    const bundle = pemsOf((await trustRoots(sandbox)).data?.["ca-bundle.crt"]);
    const anchors = bundle.flatMap((pem) => checkTrustAnchor(pem).anchor ?? []);
    assert.equal(anchors.length, 1);
    assert.deepEqual(checkIssuer(issuer, { anchors, trustDomain: "cluster.local" }).problems, []);
  });

  it("change nothing when they are deployed again", async () => {
    assert.match(await up(), /Resources:\s+\d+ unchanged\s/);
  });

  it("reach identity and the webhooks when they are renewed, while every pod is injected", async () => {
    const earlier = await identityEvents(sandbox, "IssuerUpdated");
    const renewals = async (admissions: Admissions): Promise<void> => {
      // The CA first: the injector's certificate is signed by the renewed one.
      const all = await certificates();
      for (const one of all.sort((a, b) => b.metadata.name.localeCompare(a.metadata.name))) {
        const { secretName } = one.spec;
        const before = await certificatePem(secretName);
        await renew(one);
        await eventually(
          `${secretName} is renewed`,
          120,
          async () => before !== (await certificatePem(secretName)),
        );
        await admissions.another();
      }
      await eventually("identity has the new issuer", 120, async () => {
        return (await identityEvents(sandbox, "IssuerUpdated")) > earlier;
      });
      await admissions.another();
    };
    const where = { sandbox, namespace: APPLICATION, dryRun: "All" } as const;
    const { injected, refused, unexpected } = await Admissions.during(renewals, where, 100);
    console.log(`      ${injected} dry runs injected`);
    assert.deepEqual(unexpected, []);
    assert.equal(refused, 0);
    assert.equal(await identityEvents(sandbox, "IssuerUpdateSkipped"), 0);
  });

  it("pass Linkerd's own check", async () => {
    const { tools } = await sandboxTools();
    // Warnings are expected: these certificates live for less than the 60 days that the check wants.
    const checks = await linkerdCheck(tools, sandbox.paths.kubeconfig);
    assert(checks.length > 10);
    assert.deepEqual(
      checks.filter(({ result }) => result === "error"),
      [],
    );
  });
});
