import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import {
  AdmissionregistrationV1Api,
  AppsV1Api,
  CoreV1Api,
  type KubernetesObject,
  RbacAuthorizationV1Api,
  type V1Pod,
} from "@kubernetes/client-node";

import { linkerdCheck } from "../../tools/sandbox/linkerdCheck";
import { pulumiTools } from "../../tools/sandbox/build/pulumi";
import { sandboxTools } from "../../tools/sandbox/build/tools";
import { run as runCommand } from "../../tools/shared/run";
import type { Group, Result } from "../../tools/verify/model";
import { testAnchor, testCertificate, testIssuer } from "../support/certificates";
import { configuration, start, succeed } from "../support/command";
import { eventually } from "../support/eventually";
import { issueIdentity, issueLeaf } from "../support/identityLeaf";
import { NO_IDENTITY } from "../support/meshSeries";
import { serveMetrics, showIdentity } from "../support/proxyStandIn";
import { useSandbox } from "../support/testSandbox";
import { grant, VERIFIER, writeVerifier } from "../support/verifier";

const IMAGE = "registry.k8s.io/pause:3.10";

/** What each prepared fault is found as: the result, what is said, and where to read on. */
const FAULTS: readonly (readonly [result: Result, found: RegExp, hint: string])[] = [
  [
    "error",
    /^Pod legacy\/before: created before namespace legacy got its annotation/,
    "pods-outside-the-mesh",
  ],
  ["warning", /^Pod hello-world\/host: hostNetwork is true/, "pods-that-the-injector-passes-over"],
  [
    "warning",
    /^Pod legacy\/word: linkerd\.io\/inject: "yes" is none of/,
    "pods-that-the-injector-passes-over",
  ],
  ["error", /^Pod plain\/late: the injector did not answer when it was created/, "pods-outside-the-mesh"],
  [
    "warning",
    /^Deployment hello-world\/\S+ \(\d pods?\): lacks CN=expired/,
    "pods-with-another-trust-bundle",
  ],
  ["error", /^expired on /, "expiry"],
  ["error", /^is not there$/, "no-control-plane"],
  ["error", /^Pod plain\/stale: lacks .*, still has CN=root/, "pods-with-another-trust-bundle"],
  ["error", /^Pod plain\/stale: is of trust domain old\.example/, "changing-the-trust-domain"],
  ["error", /caBundle of ValidatingWebhookConfiguration linkerd-sp-val/, "webhooks-that-cannot-be-called"],
  ["error", /^expired on /, "webhooks-that-cannot-be-called"],
  [
    "error",
    /Service linkerd-viz\/tap-injector has no endpoint that is ready/,
    "webhooks-that-cannot-be-called",
  ],
  [
    "error",
    /ValidatingAdmissionPolicyBinding linkerd-mesh-guard-others is not there/,
    "a-guard-that-does-not-refuse",
  ],
  ["warning", /ValidatingAdmissionPolicy linkerd-mesh-guard-warning differs/, "a-guard-that-does-not-refuse"],
  ["warning", /^failure policy Ignore, and no guard refuses/, "a-guard-that-does-not-refuse"],
  [
    "error",
    /^must be signed by a trust anchor of the bundle/,
    "reissuing-the-issuer-or-the-webhooks-certificates",
  ],
  ["warning", /^Server legacy\/idle selects no pod$/, "policies-that-have-no-effect"],
  [
    "warning",
    /^AuthorizationPolicy legacy\/dangling refers to Server renamed, which is not there$/,
    "policies-that-have-no-effect",
  ],
  ["error", /^IssuerUpdateSkipped: /, "an-issuer-that-identity-does-not-use"],
];

describe("verify", () => {
  const sandbox = useSandbox("test-verify");
  const core = () => sandbox.client(CoreV1Api);
  /** Of the user that has the Roles of the documentation and nothing else. */
  let verifier = "";
  const kubeconfig = () => verifier;

  const outputs = join(sandbox.paths.root, "outputs.json");

  async function verify(
    ...args: string[]
  ): Promise<{ code: number | null; groups: Group[]; output: string }> {
    const all = ["--kubeconfig", kubeconfig(), "--output", "json", ...args];
    const { code, output } = await start(all, {}, "tools/verify/main.ts").ended;
    const groups = output.startsWith("{") ? (JSON.parse(output) as { groups: Group[] }).groups : [];
    return { code, groups, output };
  }

  const patch = (path: string, value: unknown) => [{ op: "add", path, value }];
  const encode = (pem: string) => Buffer.from(pem).toString("base64");
  const createPod = (
    namespace: string,
    name: string,
    spec: Partial<V1Pod["spec"]> = {},
    annotations: Readonly<Record<string, string>> = {},
  ) =>
    sandbox.createPod({
      // Without annotations, the sandbox's tap injector fails on a pod that has a proxy.
      metadata: { namespace, name, annotations: { "test/verify": name, ...annotations } },
      spec: { containers: [{ name: "main", image: IMAGE }], ...spec },
    });

  before(async () => {
    await succeed("up", "--name", sandbox.name, ...configuration({ viz: { enabled: true } }));
    await grant(sandbox, "Permissions");
    verifier = await writeVerifier(sandbox);
    const { tools } = await pulumiTools();
    const env = {
      PULUMI_BACKEND_URL: `file://${sandbox.paths.state}`,
      PULUMI_CREDENTIALS_PATH: sandbox.paths.workspace,
      PULUMI_CONFIG_PASSPHRASE_FILE: sandbox.paths.passphrase,
    };
    const command = tools.home === undefined ? "pulumi" : join(tools.home, "bin", "pulumi");
    const written = await runCommand(command, ["stack", "output", "--json", "--stack", "dev"], {
      cwd: sandbox.paths.workspace,
      env,
    });
    await writeFile(outputs, written);
  });

  it("finds nothing in a mesh that was just deployed, with the documented permissions", async () => {
    const { code, output } = await verify("--wait", "30s");
    assert.equal(code, 0, output);
  });

  it("finds nothing that differs from the stack's outputs, as Pulumi writes them", async () => {
    const { code, groups, output } = await verify("--stack-outputs", outputs);
    assert.equal(code, 0, output);
    assert.equal(groups.at(-1)?.group, "stack");
  });

  it("is written as a page with the same permissions", async () => {
    const file = join(sandbox.paths.root, "report.html");
    const args = ["--kubeconfig", kubeconfig(), "--output", file];
    const { code, output } = await start(args, {}, "tools/report/main.ts").ended;
    assert.equal(code, 0, output);
    const page = await readFile(file, "utf8");
    assert.match(page, /Nothing was found/);
    assert.match(page, /default\.hello-world\.serviceaccount\.identity\.linkerd\.cluster\.local/);
    assert.match(page, /Ports with a policy of their own.*linkerd-viz\/tap-api/s);
    assert.doesNotMatch(page, /PRIVATE KEY/);
  });

  it("says which permission is missing, and does not need that of Secrets", async () => {
    const roles = sandbox.client(RbacAuthorizationV1Api);
    const where = { namespace: "linkerd", name: `${VERIFIER}-secrets` };
    const binding = await roles.readNamespacedRoleBinding(where);
    await roles.deleteNamespacedRoleBinding(where);
    const forbidden = await verify();
    assert.equal(forbidden.code, 2, forbidden.output);
    assert.match(
      forbidden.output,
      /cannot get resource "secrets".*\n?try: grant the Roles in docs\/verify\.md/,
    );
    const { code, output } = await verify("--no-secrets");
    assert.equal(code, 0, output);
    delete binding.metadata?.resourceVersion;
    await roles.createNamespacedRoleBinding({ namespace: "linkerd", body: binding });
  });

  it("waits until what is wrong is fixed", async () => {
    const admission = sandbox.client(AdmissionregistrationV1Api);
    const name = "linkerd-mesh-guard-others";
    const binding = await admission.readValidatingAdmissionPolicyBinding({ name });
    await admission.deleteValidatingAdmissionPolicyBinding({ name });
    assert.equal((await verify("--wait", "1s")).code, 1);
    const waiting = verify("--wait", "60s");
    await sleep(3000);
    delete binding.metadata?.resourceVersion;
    await admission.createValidatingAdmissionPolicyBinding({ body: binding });
    const { code, output } = await waiting;
    assert.equal(code, 0, output);
  });

  it("finds an issuer that identity has not taken, by events and by its metrics", async () => {
    const namespace = "linkerd";
    const labelSelector = "linkerd.io/control-plane-component=identity";
    const [pod] = (await core().listNamespacedPod({ namespace, labelSelector })).items;
    const { name = "" } = pod?.metadata ?? {};
    const findings = async () => {
      const { groups, output } = await verify();
      const checks = groups.flatMap((group) => group.checks).filter(({ found = [] }) => found.length > 0);
      return checks.flatMap(({ result, found, hint }) => [result, ...(found ?? []), String(hint), output]);
    };
    const hint = "docs/operations.md#an-issuer-that-identity-does-not-use";

    // The kubelet's part: the process ends, and what it would have read stays unread.
    await sandbox.hold("identity");
    process.kill((await sandbox.processNumbers())[`${name}.identity`] ?? 0, "SIGKILL");
    const secret = { namespace, name: "linkerd-identity-issuer" };
    const stored = (await core().readNamespacedSecret(secret)).data?.["tls.crt"] ?? "";
    const pem = Buffer.from(stored, "base64").toString().trimEnd();
    const write = (text: string) =>
      core().patchNamespacedSecret({ ...secret, body: patch("/data/tls.crt", encode(text)) });
    // Found on the way: identity does not start with it.
    await write(`${pem}\n\n`);
    assert.match((await findings()).join("\n"), /^error\nhas an empty line after its last certificate/);
    await write(pem);
    const [result, found, link, output] = await findings();
    assert.deepEqual([result, link], ["warning", hint], output);
    assert.match(found ?? "", new RegExp(`^Pod ${name} has not reported it \\(IssuerUpdated\\) since 20`));

    // A release that has the metric, with another issuer than the Secret's.
    const metrics = createServer((_, response) => response.end("issuer_cert_ttl_seconds 7200\n"));
    metrics.listen(9990, await sandbox.listenAddress(pod));
    await once(metrics, "listening");
    try {
      const [error, ends, see, all] = await findings();
      assert.deepEqual([error, see], ["error", hint], all);
      assert.match(ends ?? "", new RegExp(`^Pod ${name} uses an issuer that ends on 20`));
    } finally {
      metrics.closeAllConnections();
      metrics.close();
    }
    await sandbox.release("identity");
    await core().deleteNamespacedPod({ namespace, name });
    await eventually("the new identity issues certificates", 60, () =>
      issueLeaf(sandbox, "hello-world").then(
        () => true,
        () => false,
      ),
    );
    const { code, output: last } = await verify("--wait", "60s");
    assert.equal(code, 0, last);
  });

  it("shows the certificate of a pod's proxy, through the API server's port-forward", async () => {
    const namespace = "hello-world";
    const [pod] = (await core().listNamespacedPod({ namespace })).items;
    assert(pod !== undefined);
    const name = pod.metadata?.name ?? "";
    const chain = async () => {
      const args = ["chain", "--kubeconfig", kubeconfig(), "--pod", `${namespace}/${name}`];
      return start(args, {}, "tools/verify/main.ts").ended;
    };
    const forbidden = await chain();
    assert.equal(forbidden.code, 2, forbidden.output);
    assert.match(forbidden.output, /shows no certificate for default\.hello-world\.\S+: .*403/);
    await grant(sandbox, "Chains of pods");
    const silent = await chain();
    assert.equal(silent.code, 2, silent.output);
    assert.match(silent.output, /connection refused/);

    const real = await issueIdentity(sandbox, namespace);
    const hide = await showIdentity(sandbox, pod, real);
    const { code, output } = await chain();
    await hide();
    assert.equal(code, 0, output);
    assert.match(
      output,
      new RegExp(
        String.raw`^CN=root\.[\s\S]*^    CN=identity\.[\s\S]*^      in     Secret linkerd/linkerd-identity-issuer, Pod ${namespace}/${name}\n[\s\S]*^        default\.hello-world\.\S+\n          in     Pod ${namespace}/${name}\n`,
        "m",
      ),
    );

    const anchor = await testAnchor();
    const options = { signer: await testIssuer(anchor), isCa: false, dnsNames: [real.identity] };
    const { certPem, keyPem } = await testCertificate("stranger", options);
    const end = await showIdentity(sandbox, pod, { ...real, keyPem, chain: [certPem] });
    const stranger = await chain();
    await end();
    assert.equal(stranger.code, 1, stranger.output);
    assert.match(stranger.output, /CN=stranger\n.*Pod hello-world[\s\S]*signed by nobody here/);
  });

  it("finds plaintext between meshed pods by their own metrics, through the API server", async () => {
    const nameOf = (pod: V1Pod | undefined) => pod?.metadata?.name ?? "";
    const isOf = (pod: V1Pod, app: string) => nameOf(pod).startsWith(`${app}-`);
    const series = (pods: readonly V1Pod[], open: number) => {
      const world = nameOf(pods.find((each) => isOf(each, "world")));
      const labels = `direction="outbound",peer="dst",authority="world:80",target_addr="10.244.0.9:8080",target_ip="10.244.0.9",target_port="8080",${NO_IDENTITY},dst_namespace="hello-world",dst_pod="${world}"`;
      return `tcp_open_total{${labels}} 15\ntcp_open_connections{${labels}} ${open}\n`;
    };
    const findings = (groups: readonly Group[]) =>
      groups
        .flatMap((group) => group.checks)
        .flatMap(({ result, found = [], hint }) => found.map((line) => `${result} ${line} ${String(hint)}`));
    const hint = "docs/operations.md#plaintext-between-meshed-pods";
    const pair =
      "Deployment hello-world/hello to port 8080 of Deployment hello-world/world: 15 connections without TLS (not_provided_by_service_discovery)";

    let open = 0;
    let stop = await serveMetrics(sandbox, (pod, pods) => (isOf(pod, "hello") ? series(pods, open) : ""));
    try {
      const forbidden = await verify("--traffic");
      assert.match(
        findings(forbidden.groups).join("\n"),
        /hello-world\/hello \(1 pod\): .*is forbidden.* \(HTTP 403\)/,
      );
      await grant(sandbox, "Traffic");
      const past = await verify("--traffic");
      assert.deepEqual(findings(past.groups), [`warning ${pair} ${hint}`]);
      open = 2;
      const now = await verify("--traffic");
      assert.deepEqual(findings(now.groups), [`error ${pair}, 2 open now ${hint}`]);
    } finally {
      await stop();
    }
    stop = await serveMetrics(sandbox, () => "");
    const { code, output } = await verify("--traffic");
    await stop();
    assert.equal(code, 0, output);
    const silent = await verify("--traffic");
    assert.match(findings(silent.groups).join("\n"), /hello-world\/world \(1 pod\): .* \(HTTP 50\d\)/);
  });

  it("finds every fault of many at once, with its hint, of which linkerd check finds four", async () => {
    await core().createNamespace({ body: { metadata: { name: "legacy" } } });
    await core().createNamespace({ body: { metadata: { name: "plain" } } });
    await createPod("legacy", "before");
    await createPod("hello-world", "host", { hostNetwork: true });
    await createPod("legacy", "word", {}, { "linkerd.io/inject": "yes" });
    await createPod("plain", "late");
    const asks = patch("/metadata/annotations/linkerd.io~1inject", "enabled");
    await core().patchNamespacedPod({ namespace: "plain", name: "late", body: asks });
    const expired = await testCertificate("expired.linkerd", { days: [-10, -1] });
    const roots = { namespace: "linkerd", name: "linkerd-identity-trust-roots" };
    const bundle = (await core().readNamespacedConfigMap(roots)).data?.["ca-bundle.crt"] ?? "";
    await core().patchNamespacedConfigMap({
      ...roots,
      body: patch("/data/ca-bundle.crt", `${bundle.trim()}\n${expired.certPem}\n`),
    });
    const stranger = await testAnchor();
    const name = "$(_pod_sa).$(_pod_ns).serviceaccount.identity.linkerd.old.example";
    const env = [
      { name: "LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS", value: stranger.certPem },
      { name: "LINKERD2_PROXY_IDENTITY_LOCAL_NAME", value: name },
    ];
    await createPod("plain", "stale", { containers: [{ name: "linkerd-proxy", image: IMAGE, env }] });

    const admission = sandbox.client(AdmissionregistrationV1Api);
    await admission.deleteValidatingAdmissionPolicyBinding({ name: "linkerd-mesh-guard-others" });
    await admission.deleteValidatingWebhookConfiguration({
      name: "linkerd-policy-validator-webhook-config",
    });
    await admission.patchValidatingAdmissionPolicy({
      name: "linkerd-mesh-guard-warning",
      body: patch("/spec/validations/0/expression", "true"),
    });
    await admission.patchValidatingWebhookConfiguration({
      name: "linkerd-sp-validator-webhook-config",
      body: patch("/webhooks/0/clientConfig/caBundle", encode(stranger.certPem)),
    });
    const viz = { namespace: "linkerd-viz", name: "tap-injector" };
    const apps = sandbox.client(AppsV1Api);
    await apps.patchNamespacedDeployment({ ...viz, body: patch("/spec/replicas", 0) });
    const tapName = "tap.linkerd-viz.svc";
    const tap = await testCertificate(tapName, { dnsNames: [tapName], days: [-10, -1] });
    await core().patchNamespacedSecret({
      namespace: "linkerd-viz",
      name: "tap-k8s-tls",
      body: [...patch("/data/tls.crt", encode(tap.certPem)), ...patch("/data/tls.key", encode(tap.keyPem))],
    });
    const issuer = await testIssuer(stranger);
    await core().patchNamespacedSecret({
      namespace: "linkerd",
      name: "linkerd-identity-issuer",
      body: [
        ...patch("/data/tls.crt", encode(issuer.certPem)),
        ...patch("/data/tls.key", encode(issuer.keyPem)),
      ],
    });
    await sandbox.objects().create({
      ...{ apiVersion: "policy.linkerd.io/v1beta1", kind: "Server" },
      metadata: { namespace: "legacy", name: "idle" },
      spec: { podSelector: { matchLabels: { app: "nobody" } }, port: 80 },
    } as KubernetesObject);
    await sandbox.objects().create({
      ...{ apiVersion: "policy.linkerd.io/v1alpha1", kind: "AuthorizationPolicy" },
      metadata: { namespace: "legacy", name: "dangling" },
      spec: {
        targetRef: { group: "policy.linkerd.io", kind: "Server", name: "renamed" },
        requiredAuthenticationRefs: [],
      },
    } as KubernetesObject);
    await eventually("a pod is a second older than its namespace's annotation", 5, async () => {
      const pod = await core().readNamespacedPod({ namespace: "legacy", name: "before" });
      return Date.now() - (pod.metadata?.creationTimestamp?.getTime() ?? 0) > 2000;
    });
    await core().patchNamespace({
      name: "legacy",
      body: patch("/metadata/annotations", { "linkerd.io/inject": "enabled" }),
    });

    let last = "";
    const missing = async () => {
      const { code, groups, output } = await verify();
      last = output;
      assert.equal(code, 1, output);
      const checks = groups.flatMap((group) => group.checks);
      return FAULTS.filter(
        ([result, found, hint]) =>
          !checks.some(
            (check) =>
              check.result === result &&
              check.found?.some((line) => found.test(line)) === true &&
              // It is written as a link.
              String(check.hint) === `docs/operations.md#${hint}`,
          ),
      );
    };
    // Identity reads its files, and endpoints follow their pods, within moments.
    await eventually(`every fault is found`, 60, async () => (await missing()).length === 0).catch(
      async () => {
        assert.fail(`not found: ${(await missing()).map(([, found]) => found).join(", ")}\n${last}`);
      },
    );

    const stack = await verify("--stack-outputs", outputs);
    const drift = stack.groups.find(({ group }) => group === "stack")?.checks ?? [];
    const lines = drift.flatMap(({ found: differing = [], hint }) => differing.map((line) => [line, hint]));
    for (const line of [
      /^has CN=expired\.linkerd \(SHA-256 .*\) of others$/,
      /^Secret linkerd\/linkerd-identity-issuer has another one$/,
      /^Secret linkerd-viz\/tap-k8s-tls has another one$/,
      /^ValidatingWebhookConfiguration linkerd-sp-validator-webhook-config lacks CA 1$/,
    ]) {
      const [, hint] = lines.find(([text = ""]) => line.test(text)) ?? [];
      assert.equal(hint, "docs/operations.md#a-cluster-that-differs-from-its-stack", stack.output);
    }

    const options = ["--kubeconfig", kubeconfig(), "--pods"];
    const chain = await start(["chain", ...options], {}, "tools/verify/main.ts").ended;
    assert.equal(chain.code, 1, chain.output);
    assert.match(chain.output, /Secret linkerd\/linkerd-identity-issuer\n.*\n\s+signed by nobody here/);
    assert.match(chain.output, /pods that have not converged\n-+\nPod plain\/stale: lacks/);

    const { tools } = await sandboxTools();
    const check = async (proxies?: boolean) =>
      (await linkerdCheck(tools, sandbox.paths.kubeconfig, proxies))
        .filter(({ result }) => result !== "success")
        .map(({ description }) => description);
    const issuerCheck = "issuer cert is issued by the trust anchor";
    assert.deepEqual(await check(), [issuerCheck, "sp-validator webhook has valid cert"]);
    // With that one it ends, before it looks at pods.
    const injector = { name: "linkerd-proxy-injector-webhook-config" };
    const [webhook] = (await admission.readMutatingWebhookConfiguration(injector)).webhooks ?? [];
    await admission.patchValidatingWebhookConfiguration({
      name: "linkerd-sp-validator-webhook-config",
      body: patch("/webhooks/0/clientConfig/caBundle", webhook?.clientConfig.caBundle),
    });
    assert.deepEqual(await check(true), [
      issuerCheck,
      "data plane proxies certificate match CA",
      "tap API server has valid cert",
    ]);
  });
});
