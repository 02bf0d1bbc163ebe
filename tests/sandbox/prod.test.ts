import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { AdmissionregistrationV1Api, AppsV1Api, CoreV1Api, PolicyV1Api } from "@kubernetes/client-node";

import { configuration, run, start, succeed } from "../support/command";
import { useSandbox } from "../support/testSandbox";

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

describe("stack prod with provided certificates", () => {
  const sandbox = useSandbox("test-prod");
  const options = ["--stack", "prod", "--name", sandbox.name];
  let folder = "";

  const up = () => succeed("up", ...options, ...CONFIGURATION);
  const core = () => sandbox.client(CoreV1Api);
  const pods = async () => (await core().listPodForAllNamespaces()).items;
  /** Identifiers of all pods: another one means that a pod was created again. */
  const podIds = async () => (await pods()).map(({ metadata }) => metadata?.uid ?? "").sort();

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "linkerd-mtls-prod-"));
  });
  after(() => rm(folder, { recursive: true }));

  it("names what is missing, the command of each, and for a sandbox the one that makes all of it", async () => {
    const { code, output } = await run("up", ...options);
    assert.equal(code, 1);
    for (const command of [
      "pulumi config set --path 'linkerd-mtls:trustAnchors[0].certificate' < ca.crt",
      "pulumi config set linkerd-mtls:issuerCertificate < issuer.crt",
      "pulumi config set --secret linkerd-mtls:issuerKey < issuer.key",
    ]) {
      assert(output.includes(command), output);
    }
    assert.match(
      output,
      /\ntry: npm run offline-ca -- --stack prod --name test-prod makes and sets what is missing; then run the same command again/,
    );
    const { items } = await core().listNamespace();
    assert(!items.some(({ metadata }) => metadata?.name === "linkerd"));
  });

  it("gets certificates from offline-ca, which keeps the anchor's key apart", async () => {
    const anchorKey = join(folder, "anchor.key");
    const { code, output } = await start(
      [...options, "--anchor-key", anchorKey],
      {},
      "tools/offlineCa/main.ts",
    ).ended;
    assert.equal(code, 0, output);
    assert.match(output, /trust anchor 2026 \(new\)\n {4}SHA-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}\n/);
    assert(output.includes(`The anchor's key is in ${anchorKey} and nowhere else`));
    assert.doesNotMatch(output, /BEGIN/);
    assert.equal((await stat(anchorKey)).mode & 0o777, 0o600);
    assert.match(
      await readFile(join(sandbox.paths.root, "own.prod.yaml"), "utf8"),
      /linkerd-mtls:issuerKey:\n {4}secure: v1:/,
    );
  });

  it("comes up with every pod in the mesh", async () => {
    const output = await up();
    assert.match(output, /All 2 pods are in the mesh\./);
    assert.equal((await pods()).length, 2 + 3 * COMPONENTS.length);
  });

  it("has three replicas of each component on a node each, and budgets that keep two of them", async () => {
    for (const name of COMPONENTS) {
      const { spec, status } = await sandbox
        .client(AppsV1Api)
        .readNamespacedDeployment({ namespace: "linkerd", name });
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

  it("has the init container of meshed pods run as root with the configured iptables", async () => {
    const { items } = await core().listNamespacedPod({ namespace: "shop" });
    const [init] = items[0]?.spec?.initContainers ?? [];
    assert.equal(init?.name, "linkerd-init");
    assert.deepEqual([init.securityContext?.runAsNonRoot, init.securityContext?.runAsUser], [false, 0]);
    const args = (init.args ?? []).join(" ");
    assert.match(args, /--firewall-bin-path iptables-nft --firewall-save-bin-path iptables-nft-save/);
  });

  it("changes nothing when it is deployed again", async () => {
    const before = await podIds();
    assert.match(await up(), /Resources:\s+\d+ unchanged\s+Duration/);
    assert.deepEqual(await podIds(), before);
  });
});
