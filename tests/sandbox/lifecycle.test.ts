import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import {
  AdmissionregistrationV1Api,
  ApiextensionsV1Api,
  AppsV1Api,
  CoreV1Api,
} from "@kubernetes/client-node";

import { linkerdCheck } from "../../tools/sandbox/linkerdCheck";
import { sandboxTarget } from "../../tools/sandbox/target";
import { sandboxTools } from "../../tools/sandbox/build/tools";
import { withStack } from "../../tools/sandbox/workspace";
import { succeed } from "../support/command";
import { eventually } from "../support/eventually";
import { useSandbox } from "../support/testSandbox";

/** How a private key looks in a PEM, and how a PEM of one begins in base64: PKCS#8, SEC 1. */
const PRIVATE_KEY = /PRIVATE KEY|LS0tLS1CRUdJTiBQUklW|LS0tLS1CRUdJTiBFQyBQ/;

/** The application of stack dev. */
const APPLICATION = "hello-world";
const WORKLOADS = ["hello", "world"];

/** All files below a folder, as text. */
async function textsBelow(folder: string): Promise<Map<string, string>> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((f) => f.isFile());
  const texts = files.map(async ({ parentPath, name }) => {
    const file = join(parentPath, name);
    return [file, await readFile(file, "utf8")] as const;
  });
  return new Map(await Promise.all(texts));
}

describe("the life of stack dev", () => {
  const sandbox = useSandbox("test-lifecycle");
  let firstUp = "";

  it("comes up with one command and says how to see it", async () => {
    firstUp = await succeed("up", "--name", sandbox.name);
    assert.match(firstUp, /All 2 pods are in the mesh\./);
    assert.match(firstUp, new RegExp(`kubectl.* --kubeconfig ${sandbox.paths.kubeconfig} get pods -A`));
    assert.match(firstUp, /pods are injected: \d+ tries/);
    assert.match(firstUp, /Containers are simulated/);
  });

  it("has created each pod once, with its proxy, and restarted none", async () => {
    const created = (await sandbox.podCreations()).filter(({ namespace }) => namespace === APPLICATION);
    const admitted = created.filter(({ admitted }) => admitted);
    assert.equal(admitted.length, WORKLOADS.length);
    for (const { containers } of admitted) assert(containers.includes("linkerd-proxy"), containers.join(" "));

    const apps = sandbox.client(AppsV1Api);
    const { items: replicaSets } = await apps.listNamespacedReplicaSet({ namespace: APPLICATION });
    assert.equal(replicaSets.length, WORKLOADS.length);
    for (const { metadata } of replicaSets) {
      assert.equal(metadata?.annotations?.["deployment.kubernetes.io/revision"], "1");
    }
  });

  it("starts each provider once", async () => {
    // A question to one of another version would start another.
    const [state = ""] = [...(await textsBelow(sandbox.paths.state))]
      .filter(([file]) => file.endsWith("/dev.json"))
      .map(([, text]) => text);
    const providers = [...state.matchAll(/"type": ?"pulumi:providers:(\w+)"/g)].map(([, name]) => name);
    assert.deepEqual(providers.sort(), ["kubernetes", "random", "tls"]);
  });

  it("passes Linkerd's own check of configuration, identity and webhooks", async () => {
    const { tools } = await sandboxTools();
    for (const { description, result } of await linkerdCheck(tools, sandbox.paths.kubeconfig)) {
      assert.equal(result, "success", description);
    }
  });

  it("changes nothing when it is deployed again", async () => {
    const apps = sandbox.client(AppsV1Api);
    const versions = async () => {
      const { items } = await apps.listDeploymentForAllNamespaces();
      return items.map(({ metadata }) => `${metadata?.name ?? ""} ${metadata?.generation ?? 0}`).sort();
    };
    const before = await versions();
    const output = await succeed("up", "--name", sandbox.name);
    assert.match(output, /Resources:\s+\d+ unchanged\s+Duration/);
    assert.doesNotMatch(output, /asking the API server/);
    assert.deepEqual(await versions(), before);
  });

  it("reissues certificates on request, shows no private key to who watches, and restarts nothing", async () => {
    const apps = sandbox.client(AppsV1Api);
    const generations = async () =>
      (await apps.listDeploymentForAllNamespaces()).items.map(({ metadata }) => metadata?.generation);
    const before = await generations();
    const target = await sandboxTarget(sandbox.name, new AbortController().signal);
    const reissue = {
      "linkerd-mtls:issuer": { generation: 2 },
      "linkerd-mtls:webhookCertificates": { generation: 2 },
    };
    const seen: string[] = [];
    const args = { ...target, stack: "dev", overrides: { ...target.overrides, ...reissue } };
    await withStack(args, (stack) =>
      stack.up({
        onEvent: (event) => seen.push(JSON.stringify(event)),
        onOutput: (text) => seen.push(text),
        onError: (text) => seen.push(text),
      }),
    );
    const all = seen.join("\n");
    assert.match(all, /linkerd-identity-issuer/);
    assert.match(all, /identity-issuer-key/);
    assert.doesNotMatch(all, PRIVATE_KEY);
    assert.deepEqual(await generations(), before);
  });

  it("has written no private key anywhere but into the Secrets that hold one", async () => {
    assert.doesNotMatch(firstUp, PRIVATE_KEY);
    for (const folder of [sandbox.paths.state, sandbox.paths.workspace, sandbox.paths.logs]) {
      const texts = await textsBelow(folder);
      assert(texts.size > 0, folder);
      for (const [file, text] of texts) assert(!PRIVATE_KEY.test(text), file);
    }
    const releases = await sandbox.helmReleases();
    assert.equal(releases.length, 2);
    for (const release of releases) assert.doesNotMatch(release, PRIVATE_KEY);

    const core = sandbox.client(CoreV1Api);
    for (const { data, metadata } of (await core.listConfigMapForAllNamespaces()).items) {
      assert(!PRIVATE_KEY.test(JSON.stringify(data ?? {})), metadata?.name);
    }
    const holders = (await core.listSecretForAllNamespaces()).items
      .filter(({ data }) =>
        Object.values(data ?? {}).some((value) => PRIVATE_KEY.test(Buffer.from(value, "base64").toString())),
      )
      .map(({ metadata }) => metadata?.name);
    assert.deepEqual(holders.sort(), [
      "linkerd-identity-issuer",
      "linkerd-policy-validator-k8s-tls",
      "linkerd-proxy-injector-k8s-tls",
      "linkerd-sp-validator-k8s-tls",
    ]);
  });

  it("tells its state and its memory", async () => {
    const output = await succeed("sandbox", "status", "--name", sandbox.name);
    assert.match(output, /ready at https:\/\/127(\.\d+){3}:\d+/);
    const total = Number(/(\d+) MiB {2}total/.exec(output)?.[1]);
    assert(total > 0 && total < 1229, `the sandbox uses ${total} MiB`);
    assert.equal(
      await succeed("sandbox", "kubeconfig", "--name", sandbox.name),
      `${sandbox.paths.kubeconfig}\n`,
    );
  });

  it("destroys all that it made in the cluster", async () => {
    await succeed("down", "--keep", "--name", sandbox.name);
    const namespaces = (await sandbox.client(CoreV1Api).listNamespace()).items.map(
      ({ metadata }) => metadata?.name,
    );
    assert.deepEqual(namespaces.sort(), ["default", "kube-node-lease", "kube-public", "kube-system"]);
    const admission = sandbox.client(AdmissionregistrationV1Api);
    assert.deepEqual((await admission.listMutatingWebhookConfiguration()).items, []);
    assert.deepEqual((await admission.listValidatingWebhookConfiguration()).items, []);
    assert.deepEqual((await admission.listValidatingAdmissionPolicy()).items, []);
    assert.deepEqual((await admission.listValidatingAdmissionPolicyBinding()).items, []);
    assert.deepEqual((await sandbox.client(ApiextensionsV1Api).listCustomResourceDefinition()).items, []);
  });

  it("is gone from this machine after down", async () => {
    await succeed("down", "--name", sandbox.name);
    assert(!existsSync(sandbox.paths.root));
    await eventually("no process is left", 60, async () => (await sandbox.processes()).length === 0);
  });
});
