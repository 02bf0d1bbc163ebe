import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  AdmissionregistrationV1Api,
  AppsV1Api,
  CoreV1Api,
  PolicyV1Api,
  setHeaderOptions,
  type V1Pod,
} from "@kubernetes/client-node";

import { onStack } from "../../tools/sandbox/deploy";
import { sandboxTarget } from "../../tools/sandbox/target";
import { configuration, type Ended, eventually, run, start, succeed, TestSandbox } from "../support/sandbox";

const COMPONENTS = ["linkerd-destination", "linkerd-identity", "linkerd-proxy-injector"];

/** What a platform team would have in its file besides the certificates. */
const CONFIGURATION = configuration({
  proxyInit: { runAsRoot: true, iptablesMode: "nft" },
  namespaces: [
    {
      name: "shop",
      workloads: [{ name: "web", replicas: 2, podSpec: { containers: [{ name: "web", image: "web:1" }] } }],
    },
  ],
});

describe("stack prod", () => {
  const sandbox = new TestSandbox("test-prod");
  const other = new TestSandbox("test-prod-dev");
  const options = ["--stack", "prod", "--name", sandbox.name];
  let folder = "";

  const up = () => succeed("up", ...options, ...CONFIGURATION);
  const core = () => sandbox.client(CoreV1Api);
  const apps = () => sandbox.client(AppsV1Api);
  const anchorKey = () => join(folder, "anchor.key");
  const own = () => join(sandbox.paths.root, "own.prod.yaml");
  const stacks = () => join(sandbox.paths.state, ".pulumi/stacks/linkerd-mtls");
  const state = () => readFile(join(stacks(), "prod.json"), "utf8");

  function offlineCa(...args: string[]): Promise<Ended> {
    return start([...options, ...args], {}, "tools/offlineCa/main.ts").ended;
  }

  async function pods(): Promise<V1Pod[]> {
    return (await core().listPodForAllNamespaces()).items;
  }

  /** Numbers of all pods: another one means that a pod was created anew. */
  async function podNumbers(): Promise<string[]> {
    return (await pods()).map(({ metadata }) => metadata?.uid ?? "").sort();
  }

  /** Names of the containers that a pod would get, or why it would be refused. */
  async function dryRun(namespace: string): Promise<string> {
    const body = {
      metadata: { generateName: "try-" },
      spec: { containers: [{ name: "main", image: "registry.k8s.io/pause:3.10" }] },
    };
    try {
      const { spec } = await core().createNamespacedPod({ namespace, dryRun: "All", body });
      return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(({ name }) => name).join(" ");
    } catch (error) {
      return String(error);
    }
  }

  before(async () => {
    await sandbox.remove();
    await other.remove();
    folder = await mkdtemp(join(tmpdir(), "linkerd-mtls-prod-"));
  });
  after(async () => {
    await sandbox.remove();
    await other.remove();
    await rm(folder, { recursive: true });
  });

  it("names once what is missing, the command of each, and for a sandbox the one that makes all of it", async () => {
    const { code, output } = await run("up", ...options);
    assert.equal(code, 1);
    for (const command of [
      "pulumi config set --path 'linkerd-mtls:trustAnchors[0].certificate' < ca.crt",
      "pulumi config set linkerd-mtls:issuerCertificate < issuer.crt",
      "pulumi config set --secret linkerd-mtls:issuerKey < issuer.key",
    ]) {
      assert.equal(output.split(command).length - 1, 1, output);
    }
    assert.match(
      output,
      /\ntry: npm run offline-ca -- --stack prod --name test-prod makes and sets what is missing; then run the same command again/,
    );
    const { items } = await core().listNamespace();
    assert(!items.some(({ metadata }) => metadata?.name === "linkerd"));
  });

  it("gets certificates from offline-ca, which keeps the anchor's key apart", async () => {
    const { code, output } = await offlineCa("--anchor-key", anchorKey());
    assert.equal(code, 0, output);
    assert.match(output, /trust anchor 2026 \(new\)\n {4}SHA-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}\n/);
    assert(output.includes(`The anchor's key is in ${anchorKey()} and nowhere else`));
    assert.doesNotMatch(output, /BEGIN/);
    assert.equal((await stat(anchorKey())).mode & 0o777, 0o600);
    assert.match(await readFile(own(), "utf8"), /linkerd-mtls:issuerKey:\n {4}secure: v1:/);
  });

  it("is not given others by accident, nor when offline-ca is interrupted", async () => {
    const before = await readFile(own(), "utf8");
    const { code, output } = await offlineCa();
    assert.equal(code, 1);
    assert.match(output, /error: stack prod has a trust anchor already; nothing was changed\ntry: --replace/);

    const key = join(folder, "interrupted.key");
    const command = start(
      [...options, "--replace-anchor", "--anchor-key", key],
      {},
      "tools/offlineCa/main.ts",
    );
    await eventually("the key is written", 60, () => existsSync(key));
    command.kill("SIGINT");
    assert.equal((await command.ended).code, 130, command.output());
    assert(!existsSync(key));
    assert.equal(await readFile(own(), "utf8"), before);
  });

  it("comes up with every pod in the mesh", async () => {
    const output = await up();
    assert.match(output, /All 2 pods are in the mesh\./);
    const numbers = await podNumbers();
    assert.equal(numbers.length, 2 + 3 * COMPONENTS.length);
  });

  it("has three replicas of each component on a node each, and budgets that keep two of them", async () => {
    for (const name of COMPONENTS) {
      const { spec, status } = await apps().readNamespacedDeployment({ namespace: "linkerd", name });
      assert.deepEqual([spec?.replicas, status?.readyReplicas], [3, 3], name);
      const nodes = (await pods())
        .filter(({ metadata }) => metadata?.labels?.["linkerd.io/control-plane-component"] === name.slice(8))
        .map((pod) => pod.spec?.nodeName)
        .sort();
      assert.deepEqual(nodes, ["sandbox", "sandbox-2", "sandbox-3"], name);
    }
    const budgets = await sandbox
      .client(PolicyV1Api)
      .listNamespacedPodDisruptionBudget({ namespace: "linkerd" });
    assert.deepEqual(
      budgets.items.map(({ spec, status }) => [spec?.maxUnavailable, status?.disruptionsAllowed]),
      [1, 2, 3].map(() => [1, 1]),
    );
  });

  it("has failure policy Fail on Linkerd's three webhooks", async () => {
    const admission = sandbox.client(AdmissionregistrationV1Api);
    const webhooks = [
      ...(await admission.listMutatingWebhookConfiguration()).items,
      ...(await admission.listValidatingWebhookConfiguration()).items,
    ].flatMap((item) => item.webhooks ?? []);
    assert.deepEqual(webhooks.map(({ name, failurePolicy }) => `${name} ${failurePolicy ?? ""}`).sort(), [
      "linkerd-policy-validator.linkerd.io Fail",
      "linkerd-proxy-injector.linkerd.io Fail",
      "linkerd-sp-validator.linkerd.io Fail",
    ]);
  });

  it("has the init container of meshed pods run as root with the iptables that were chosen", async () => {
    const { items } = await core().listNamespacedPod({ namespace: "shop" });
    const [init] = items[0]?.spec?.initContainers ?? [];
    assert.equal(init?.name, "linkerd-init");
    assert.deepEqual([init.securityContext?.runAsNonRoot, init.securityContext?.runAsUser], [false, 0]);
    const args = (init.args ?? []).join(" ");
    assert.match(args, /--firewall-bin-path iptables-nft --firewall-save-bin-path iptables-nft-save/);
  });

  it("changes nothing when it is brought up again", async () => {
    const before = await podNumbers();
    assert.match(await up(), /Resources:\s+\d+ unchanged\s+Duration/);
    assert.deepEqual(await podNumbers(), before);
  });

  it("shares a backend with stack dev of another cluster, and neither touches the other", async () => {
    const before = { state: await state(), pods: await podNumbers() };
    const { paths, ...target } = await sandboxTarget(other.name, new AbortController().signal);
    const shared = { ...target, paths: { ...paths, state: sandbox.paths.state } };
    const quiet = { onOutput: () => undefined, onError: () => undefined };
    await onStack(shared, "dev", [], async (stack) => {
      await stack.up(quiet);
    });
    const files = (await readdir(stacks())).filter((name) => name.endsWith(".json"));
    assert.deepEqual(files.sort(), ["dev.json", "prod.json"]);
    const namespaces = async (one: TestSandbox) =>
      (await one.client(CoreV1Api).listNamespace()).items.map(({ metadata }) => metadata?.name ?? "");
    assert.deepEqual(
      [await namespaces(other), await namespaces(sandbox)].map((names) =>
        names.filter((name) => ["hello-world", "shop"].includes(name)),
      ),
      [["hello-world"], ["shop"]],
    );
    await onStack(shared, "dev", [], (stack) => stack.destroy({ ...quiet, remove: true }));
    assert.deepEqual({ state: await state(), pods: await podNumbers() }, before);
    assert.match(await up(), /Resources:\s+\d+ unchanged\s+Duration/);
  });

  it("boots without a webhook: its own pods and those of kube-system can be created, an application's cannot", async () => {
    const scale = (replicas: number) =>
      Promise.all(
        COMPONENTS.map((name) =>
          apps().patchNamespacedDeploymentScale(
            { namespace: "linkerd", name, body: { spec: { replicas } } },
            setHeaderOptions("Content-Type", "application/merge-patch+json"),
          ),
        ),
      );
    const controlPlane = async () => (await core().listNamespacedPod({ namespace: "linkerd" })).items;

    await scale(0);
    await eventually("no pod of Linkerd is left", 60, async () => (await controlPlane()).length === 0);
    assert.equal(await dryRun("kube-system"), "main");
    assert.equal(await dryRun("linkerd"), "main");
    assert.match(await dryRun("shop"), /failed calling webhook.*linkerd-proxy-injector\.linkerd\.io/);

    await scale(3);
    await eventually("the control plane is there again", 120, async () => {
      const ready = (await controlPlane()).filter(({ status }) =>
        status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"),
      );
      return ready.length === 3 * COMPONENTS.length;
    });
    await eventually("pods are injected", 60, async () => (await dryRun("shop")).includes("linkerd-proxy"));
  });

  it("takes a new issuer of its anchor, restarts nothing, and identity says that it has it", async () => {
    const before = await podNumbers();
    const { code, output } = await offlineCa("--replace", "--anchor-key", anchorKey());
    assert.equal(code, 0, output);
    assert.match(output, /trust anchor 2026 \(kept\)/);
    assert.match(await up(), /Resources:\s+~ 1 updated\s+\d+ unchanged\s+Duration/);
    await eventually("every replica of identity has it", 120, async () => {
      const events = await core().listNamespacedEvent({
        namespace: "linkerd",
        fieldSelector: "reason=IssuerUpdated",
      });
      return events.items.reduce((sum, { count = 1 }) => sum + count, 0) >= 3;
    });
    assert.deepEqual(await podNumbers(), before);
  });

  it("is not deleted while it is protected, and is by the commands that are named", async () => {
    const before = { state: await state(), pods: await podNumbers() };
    const { code, output } = await run("down", ...options);
    assert.equal(code, 1);
    const remedy =
      "npm run up -- --stack prod --name test-prod -c linkerd-mtls:protect=false && " +
      "npm run down -- --stack prod --name test-prod";
    assert(
      output.endsWith(
        "\nerror: stack prod has protected resources (linkerd-namespace, shop-namespace), so nothing was deleted\n" +
          `try: ${remedy}\n`,
      ),
      output,
    );
    assert.deepEqual({ state: await state(), pods: await podNumbers() }, before);
    // What was given by -c, and not in the stack's file, is given again.
    const [unprotect = [], ...others] = remedy
      .split(" && ")
      .map((command) => command.replace("npm run ", "").replace("-- ", "").split(" "));
    await succeed(...unprotect, ...CONFIGURATION);
    for (const command of others) await succeed(...command);
    assert(!existsSync(sandbox.paths.root));
  });
});
