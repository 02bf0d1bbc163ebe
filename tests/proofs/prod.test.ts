import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { AppsV1Api, CoreV1Api, setHeaderOptions } from "@kubernetes/client-node";

import { onStack } from "../../tools/sandbox/deploy";
import { sandboxTarget } from "../../tools/sandbox/target";
import { configuration, type Ended, run, start, succeed } from "../support/command";
import { eventually } from "../support/eventually";
import { TestSandbox, useSandbox } from "../support/testSandbox";

const COMPONENTS = ["linkerd-destination", "linkerd-identity", "linkerd-proxy-injector"];

const CONFIGURATION = configuration({
  namespaces: [
    {
      name: "shop",
      workloads: [{ name: "web", replicas: 2, podSpec: { containers: [{ name: "web", image: "web:1" }] } }],
    },
  ],
});

describe("stack prod in operation", () => {
  const sandbox = useSandbox("test-prod-operation");
  const other = new TestSandbox("test-prod-operation-dev");
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

  /** Identifiers of all pods: another one means that a pod was created again. */
  async function podIds(): Promise<string[]> {
    const { items } = await core().listPodForAllNamespaces();
    return items.map(({ metadata }) => metadata?.uid ?? "").sort();
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
    await other.remove();
    folder = await mkdtemp(join(tmpdir(), "linkerd-mtls-prod-"));
    assert.equal((await offlineCa("--anchor-key", anchorKey())).code, 0);
  });
  after(async () => {
    await other.remove();
    await rm(folder, { recursive: true });
  });

  it("keeps its certificates when offline-ca runs again by accident, or is interrupted", async () => {
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

  it("shares a backend with stack dev of another cluster, and neither touches the other", async () => {
    await up();
    const before = { state: await state(), pods: await podIds() };
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
    assert.deepEqual({ state: await state(), pods: await podIds() }, before);
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
    // The injector's process answers for a moment after its pod is gone.
    await eventually("an application's pod is refused", 60, async () =>
      /failed calling webhook.*linkerd-proxy-injector\.linkerd\.io/.test(await dryRun("shop")),
    );

    await scale(3);
    await eventually("the control plane is ready again", 120, async () => {
      const ready = (await controlPlane()).filter(({ status }) =>
        status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"),
      );
      return ready.length === 3 * COMPONENTS.length;
    });
    await eventually("pods are injected", 60, async () => (await dryRun("shop")).includes("linkerd-proxy"));
  });

  it("takes a new issuer of its anchor, restarts nothing, and identity says that it has it", async () => {
    const before = await podIds();
    const { code, output } = await offlineCa("--replace", "--anchor-key", anchorKey());
    assert.equal(code, 0, output);
    assert.match(output, /trust anchor 2026 \(kept\)/);
    // Its Secret, the gate that asks whether the deployed anchors have signed it, and the one that asks identity.
    assert.match(
      await up(),
      /Resources:\s+~ 1 updated\s+\+-2 replaced\s+3 changes\. \d+ unchanged\s+Duration/,
    );
    await eventually("every replica of identity has it", 120, async () => {
      const events = await core().listNamespacedEvent({
        namespace: "linkerd",
        fieldSelector: "reason=IssuerUpdated",
      });
      return events.items.reduce((sum, { count = 1 }) => sum + count, 0) >= 3;
    });
    assert.deepEqual(await podIds(), before);
  });

  it("is not deleted while it is protected, and is by the commands that are named", async () => {
    const before = { state: await state(), pods: await podIds() };
    const { code, output } = await run("down", ...options);
    assert.equal(code, 1);
    const remedy =
      "npm run up -- --stack prod --name test-prod-operation -c linkerd-mtls:protect=false && " +
      "npm run down -- --stack prod --name test-prod-operation";
    assert(
      output.endsWith(
        "\nerror: stack prod has protected resources (linkerd-namespace, linkerd-shop-namespace), so nothing was deleted\n" +
          `try: ${remedy}\n`,
      ),
      output,
    );
    assert.deepEqual({ state: await state(), pods: await podIds() }, before);
    // What was given by -c, and not in the stack's file, is given again.
    const [unprotect = [], ...rest] = remedy
      .split(" && ")
      .map((command) => command.replace("npm run ", "").replace("-- ", "").split(" "));
    await succeed(...unprotect, ...CONFIGURATION);
    for (const command of rest) await succeed(...command);
    assert(!existsSync(sandbox.paths.root));
  });
});
