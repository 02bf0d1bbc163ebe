import assert from "node:assert/strict";

import { CoreV1Api, CustomObjectsApi, type V1Pod } from "@kubernetes/client-node";

import { join } from "node:path";

import { helmTool } from "../../tools/sandbox/build/helm";
import { sandboxTools } from "../../tools/sandbox/build/tools";
import { run as execute } from "../../tools/shared/run";
import { testAnchor } from "../support/certificates";
import { configuration, run, succeed } from "../support/command";
import { isMeshed, useSandbox } from "../support/testSandbox";
import { anchorsOf, pemsOf, trustRoots } from "../support/trustBundle";

/** The usual place of trust-manager. */
const SHARED = { namespace: "cert-manager" };

/** A mesh of one application. */
const APPLICATION = { sampleApplications: ["hello-world"], namespaces: [] };
const DISTRIBUTED = { ...APPLICATION, trustManager: { enabled: true } };

describe("the trust bundle with trust-manager", () => {
  const sandbox = useSandbox("test-trust-manager");
  const up = (values: Readonly<Record<string, unknown>>): Promise<string> =>
    succeed("up", "--stack", "rotating", "--name", sandbox.name, ...configuration(values));

  before(async () => {
    await up(DISTRIBUTED);
  });

  async function podsIn(namespace: string): Promise<V1Pod[]> {
    const { items } = await sandbox.client(CoreV1Api).listNamespacedPod({ namespace });
    return items.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
  }

  const namesOf = (pods: readonly V1Pod[]): string[] =>
    pods.map(({ metadata }) => metadata?.name ?? "").sort();

  it("rolls the control plane and the workloads once when an anchor is added, and none comes unmeshed", async () => {
    const anchor = await testAnchor();
    const control = namesOf(await podsIn("linkerd"));
    const workloads = namesOf(await podsIn("hello-world"));
    const attempts = (await sandbox.podCreations()).length;
    const [own = ""] = pemsOf((await trustRoots(sandbox)).data?.["ca-bundle.crt"]);
    await up({
      ...DISTRIBUTED,
      trustAnchors: [{ id: "2026" }, { id: "2027", certificate: anchor.certPem }],
      signingAnchor: "2026",
    });
    const text = (await trustRoots(sandbox)).data?.["ca-bundle.crt"] ?? "";
    assert.deepEqual(pemsOf(text).sort(), [own, anchor.certPem.trim()].sort());
    const later = await podsIn("hello-world");
    assert.equal(later.length, workloads.length);
    for (const pod of later) {
      assert(!workloads.includes(pod.metadata?.name ?? ""), pod.metadata?.name);
      // As text: so does `linkerd check`.
      assert.equal(anchorsOf(pod), text.trim());
    }
    assert(namesOf(await podsIn("linkerd")).every((name) => !control.includes(name)));
    const created = (await sandbox.podCreations())
      .slice(attempts)
      .filter(({ namespace, admitted }) => namespace === "hello-world" && admitted);
    assert.equal(created.length, workloads.length);
    assert(created.every(isMeshed));
    // The bundle keeps the second anchor from here on.
    await up({
      ...DISTRIBUTED,
      trustAnchors: [{ id: "2027", certificate: anchor.certPem }, { id: "2026" }],
      signingAnchor: "2026",
    });
    assert.deepEqual(
      namesOf(await podsIn("hello-world")),
      namesOf(later),
      "another order is the same bundle",
    );
    // The Bundle, and cert-manager's Secret with the anchor, stay as they are.
    const { code, output } = await run(
      "up",
      "--stack",
      "rotating",
      "--name",
      sandbox.name,
      ...configuration({
        ...DISTRIBUTED,
        trustAnchors: [
          { id: "2027", certificate: anchor.certPem },
          { id: "2026", generation: 2 },
        ],
        signingAnchor: "2026",
      }),
    );
    assert.equal(code, 1, output);
    assert.match(output, /the issuer is signed by anchor 2026, which proxies that run do not trust yet/);
    assert.equal((await trustRoots(sandbox)).data?.["ca-bundle.crt"], text);
    const secret = { namespace: "linkerd", name: "linkerd-trust-anchor" };
    const { data } = await sandbox.client(CoreV1Api).readNamespacedSecret(secret);
    assert.equal(
      Buffer.from(data?.["tls.crt"] ?? "", "base64")
        .toString()
        .trim(),
      own,
    );
  });

  it("is the chart's again without it, and nothing of trust-manager stays", async () => {
    const before = (await trustRoots(sandbox)).metadata?.uid;
    const [first = ""] = pemsOf((await trustRoots(sandbox)).data?.["ca-bundle.crt"]);
    assert.notEqual(first, "");
    await up(APPLICATION);
    const { metadata, data } = await trustRoots(sandbox);
    assert.notEqual(metadata?.uid, before);
    assert.equal(metadata?.ownerReferences, undefined);
    assert.equal(metadata?.annotations?.["meta.helm.sh/release-name"], "linkerd-control-plane");
    // Or Helm would keep it when the stack is destroyed.
    assert.equal(metadata.annotations["helm.sh/resource-policy"], undefined);
    const text = data?.["ca-bundle.crt"]?.trim() ?? "";
    assert.equal(pemsOf(text).length, 1);
    for (const pod of await podsIn("hello-world")) assert.equal(anchorsOf(pod), text);
    await assert.rejects(
      sandbox.client(CustomObjectsApi).listClusterCustomObject({
        group: "trust.cert-manager.io",
        version: "v1alpha1",
        plural: "bundles",
      }),
      /404/,
    );
  });

  it("is taken over from the chart while the control plane runs, by a trust-manager beside cert-manager", async () => {
    const workloads = namesOf(await podsIn("hello-world"));
    const { metadata, data } = await trustRoots(sandbox);
    const { uid } =
      (await sandbox.client(CoreV1Api).readNamespace({ name: SHARED.namespace })).metadata ?? {};
    await up({ ...APPLICATION, trustManager: { enabled: true, ...SHARED } });
    const after = await trustRoots(sandbox);
    // The same object: Helm has left it.
    assert.equal(after.metadata?.uid, metadata?.uid);
    assert.deepEqual(
      after.metadata?.ownerReferences?.map(({ kind }) => kind),
      ["Bundle"],
    );
    assert.equal(after.data?.["ca-bundle.crt"]?.trim(), data?.["ca-bundle.crt"]?.trim());
    assert.deepEqual(namesOf(await podsIn("hello-world")), workloads);
    const inManagers = async (): Promise<string[]> =>
      (await podsIn(SHARED.namespace)).map(
        ({ metadata }) => metadata?.labels?.["app.kubernetes.io/name"] ?? "",
      );
    assert((await inManagers()).includes("trust-manager"));

    await up(APPLICATION);
    const shared = (await sandbox.client(CoreV1Api).readNamespace({ name: SHARED.namespace })).metadata;
    assert.equal(shared?.uid, uid);
    assert.equal(shared?.labels?.["config.linkerd.io/admission-webhooks"], "disabled");
    const left = await inManagers();
    assert(!left.includes("trust-manager") && left.includes("cert-manager"), left.join());
  });
});

describe("trust-manager beside a cert-manager of others", () => {
  const sandbox = useSandbox("test-trust-manager-beside");
  const target = ["--stack", "rotating", "--name", sandbox.name];
  const values = configuration({
    ...APPLICATION,
    certManager: { install: false },
    trustManager: { enabled: true, ...SHARED },
  });

  before(async () => {
    await succeed("sandbox", "start", "--name", sandbox.name);
    const [{ tools }, { tools: helm }] = await Promise.all([sandboxTools(), helmTool()]);
    const chart = join(tools.certManagerCharts, "cert-manager");
    const install = ["--namespace", SHARED.namespace, "--create-namespace", "--set", "installCRDs=true"];
    await execute(helm, ["install", "cert-manager", chart, ...install], {
      env: { KUBECONFIG: sandbox.paths.kubeconfig },
    });
  });

  const theirs = async () => {
    const { metadata } = await sandbox.client(CoreV1Api).readNamespace({ name: SHARED.namespace });
    const { labels, annotations } = metadata ?? {};
    return { uid: metadata?.uid, labels, annotations };
  };

  it("is refused where a release of others has begun to be installed", async () => {
    const record = "sh.helm.release.v1.trust-manager.v1";
    await sandbox.client(CoreV1Api).createNamespacedSecret({
      namespace: SHARED.namespace,
      body: {
        metadata: {
          name: record,
          labels: { owner: "helm", name: "trust-manager", status: "pending-install" },
        },
      },
    });
    for (const operation of ["preview", "up"]) {
      const { code, output } = await run(operation, ...target, ...values);
      assert.notEqual(code, 0, output);
      assert.ok(output.includes("HelmRelease cert-manager/trust-manager: "), output);
    }
    await sandbox.client(CoreV1Api).deleteNamespacedSecret({ namespace: SHARED.namespace, name: record });
  });

  it("is this stack's, and goes with it, while the namespace and cert-manager stay as they were", async () => {
    const before = await theirs();
    await succeed("up", ...target, ...values);
    assert.deepEqual(
      (await trustRoots(sandbox)).metadata?.ownerReferences?.map(({ kind }) => kind),
      ["Bundle"],
    );
    assert.match(await succeed("up", ...target, ...values), /Resources:\s+\d+ unchanged\s/);
    await succeed("down", "--keep", ...target, ...values);
    assert.deepEqual(await theirs(), before);
    const { items } = await sandbox.client(CoreV1Api).listNamespacedPod({ namespace: SHARED.namespace });
    assert.deepEqual(
      [...new Set(items.map(({ metadata }) => metadata?.labels?.["app.kubernetes.io/instance"]))],
      ["cert-manager"],
    );
  });
});
