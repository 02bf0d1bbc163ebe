import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { parse } from "yaml";

import { helmTool } from "../../tools/sandbox/build/helm";
import { type SandboxTools, sandboxTools } from "../../tools/sandbox/build/tools";
import { PROJECT } from "../../tools/shared/paths";
import { run as runProgram } from "../../tools/shared/run";
import { testAnchor, testIssuer } from "../support/certificates";
import { clusterObjects, settled } from "../support/clusterObjects";
import { configuration, type Ended, run, start, succeed } from "../support/command";
import { useSandbox } from "../support/testSandbox";

const APPLICATIONS = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, annotations: { linkerd.io/inject: enabled } }
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  labels: { argocd.argoproj.io/instance: shop }
spec:
  selector: { matchLabels: { app: web } }
  template: { metadata: { labels: { app: web } }, spec: { containers: [{ name: web, image: web }] } }
---
apiVersion: v1
kind: Namespace
metadata: { name: bank }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: teller, namespace: bank }
spec:
  selector: { matchLabels: { app: teller } }
  template:
    metadata: { labels: { app: teller }, annotations: { linkerd.io/inject: enabled } }
    spec: { containers: [{ name: teller, image: teller }] }
---
apiVersion: v1
kind: Namespace
metadata: { name: plain }
`;

interface StackFile {
  readonly config: Readonly<Record<string, unknown>>;
}

describe("adopt, with a mesh that helm install made", () => {
  const sandbox = useSandbox("test-adopt");
  let tools: SandboxTools;
  let helm: string;
  let anchor: Awaited<ReturnType<typeof testAnchor>>;
  let issuer: Awaited<ReturnType<typeof testIssuer>>;
  let objects: readonly string[];

  const adopt = (...args: string[]): Promise<Ended> =>
    start(["--name", sandbox.name, "--stack", "dev", ...args], {}, "tools/adopt/main.ts").ended;
  const own = async (): Promise<string> =>
    readFile(join(sandbox.paths.root, "own.dev.yaml"), "utf8").catch(() => "");
  const command = (program: string, args: readonly string[], input?: string): Promise<string> =>
    runProgram(program, args, { env: { KUBECONFIG: sandbox.paths.kubeconfig }, input });

  /** A line of the key's base64 is in no such text. */
  function assertKeyless(text: string, what: string): void {
    const [, line = ""] = issuer.keyPem.split("\n");
    assert(line.length > 20);
    assert(!text.includes(line), what);
    assert(!Buffer.from(text).toString("utf8").includes(Buffer.from(issuer.keyPem).toString("base64")), what);
  }

  before("a mesh of others", async () => {
    ({ tools } = await sandboxTools());
    ({ tools: helm } = await helmTool());
    await succeed("sandbox", "start", "--name", sandbox.name);
    anchor = await testAnchor();
    issuer = await testIssuer(anchor);
    const values = {
      identityTrustAnchorsPEM: anchor.certPem,
      identity: { issuer: { tls: { crtPEM: issuer.certPem, keyPEM: issuer.keyPem } } },
      // As the chart has it, so it is no choice.
      controllerReplicas: 1,
      proxy: { logLevel: "warn", opaquePorts: "25,9000-9010" },
      webhookFailurePolicy: "Fail",
      proxyInjector: { namespaceSelector: { matchExpressions: [] } },
    };
    const to = ["--namespace", "linkerd", "--create-namespace", "-f", "-"];
    const install = (chart: string, given: object): Promise<string> =>
      command(helm, ["install", chart, join(tools.charts, chart), ...to], JSON.stringify(given));
    await install("linkerd-crds", {});
    await install("linkerd-control-plane", values);
    await command(tools.kubectl, ["apply", "-f", "-"], APPLICATIONS);
    for (const namespace of ["linkerd", "shop", "bank"]) {
      await command(tools.kubectl, ["-n", namespace, "rollout", "status", "deployment"]);
    }
    objects = await settled(() => clusterObjects(sandbox));
  });

  it("says what would be written, and writes nothing", async () => {
    const { code, output } = await adopt("--plan");
    assert.equal(code, 0, output);
    assert.match(
      output,
      /linkerd-control-plane \S+: Helm release linkerd\/linkerd-control-plane, revision 1/,
    );
    assert.match(output, /namespace shop: inject enabled; Argo CD shop/);
    assert.match(output, /namespace bank: injected by its workloads; written by kubectl/);
    assert.match(
      output,
      /value proxyInjector\.namespaceSelector\S* of linkerd-control-plane: it must not be set here/,
    );
    assert.match(output, /a private key in Helm's records of linkerd\/linkerd-control-plane/);
    assert.match(output, /linkerd-mtls:issuerKey \(secret\)/);
    assert.equal(await own(), "");
    assertKeyless(output, "output");
  });

  it("writes the configuration whole, with the key encrypted, and changes nothing in the cluster", async () => {
    const { code, output } = await adopt();
    assert.equal(code, 0, output);
    assertKeyless(output, "output");
    const { config } = parse(await own()) as StackFile;
    const {
      "linkerd-mtls:issuerKey": key,
      "linkerd-mtls:trustAnchors": anchors,
      "linkerd-mtls:adopt": marks,
      ...rest
    } = config;
    const { objects: adopted, webhookCas = "" } = marks as { objects: string[]; webhookCas?: string };
    assert.deepEqual(adopted, [
      "Namespace linkerd",
      "HelmRelease linkerd/linkerd-crds",
      "HelmRelease linkerd/linkerd-control-plane",
      "Secret linkerd/linkerd-identity-issuer",
      "Secret linkerd/linkerd-proxy-injector-k8s-tls",
      "Secret linkerd/linkerd-sp-validator-k8s-tls",
      "Secret linkerd/linkerd-policy-validator-k8s-tls",
    ]);
    // The chart has signed one for each webhook.
    assert.equal(webhookCas.match(/BEGIN CERTIFICATE/g)?.length, 3);
    assert.deepEqual(Object.keys(key as object), ["secure"]);
    assert.match(JSON.stringify(anchors), /^\[{"id":"adopted-[0-9a-f]{8}","certificate":"-----BEGIN/);
    assert(JSON.stringify(anchors).includes(JSON.stringify(anchor.certPem.trim()).slice(1, -1)));
    assert.deepEqual(rest, {
      "linkerd-mtls:linkerdVersion": "edge-23.4.3",
      "linkerd-mtls:certificates": "provided",
      "linkerd-mtls:issuerCertificate": issuer.certPem.trim(),
      "linkerd-mtls:webhookFailurePolicy": "Fail",
      "linkerd-mtls:opaquePorts": [25, "9000-9010"],
      "linkerd-mtls:values": { "linkerd-control-plane": { proxy: { logLevel: "warn" } } },
      "linkerd-mtls:namespaces": [
        { name: "bank", existing: true },
        { name: "shop", existing: true, inject: "enabled" },
      ],
    });
    assert.deepEqual(await clusterObjects(sandbox), objects);
  });

  it("changes nothing the second time", async () => {
    const written = await own();
    const { code, output } = await adopt();
    assert.equal(code, 0, output);
    assert(output.includes("Stack dev has this configuration already."), output);
    assert.equal(await own(), written);
  });

  it("gives a preview what it needs to take the mesh over, and nothing that the configuration does not name", async () => {
    const preview = ["preview", "--name", sandbox.name, "-c", "linkerd-mtls:sampleApplications=[]"];
    const { code, output } = await run(...preview);
    assert.equal(code, 0, output);
    assert.match(output, /this deployment takes over what others have made[^:]*:\n\s+Namespace linkerd: /);
    assertKeyless(output, "preview");
    const some = { objects: ["Namespace linkerd", "HelmRelease linkerd/linkerd-crds"] };
    const refused = await run(...preview, ...configuration({ adopt: some }));
    assert.notEqual(refused.code, 0);
    assert(refused.output.includes("did not make it; nothing was changed"), refused.output);
    assert.match(refused.output, /belongs to Helm release linkerd\/linkerd-control-plane/);
    assert(!refused.output.includes("Namespace linkerd:"), refused.output);
    assert.deepEqual(await clusterObjects(sandbox), objects);
  });

  it("leaves the key in no file in plaintext", async () => {
    const { root, logs } = sandbox.paths;
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    const files = entries
      .filter(
        (entry) =>
          entry.isFile() && /\.(yaml|json|log|txt)$|history|stacks/.test(join(entry.parentPath, entry.name)),
      )
      .map((entry) => join(entry.parentPath, entry.name))
      // The API server's own record of requests has what Helm sent.
      .filter((path) => !path.startsWith(logs));
    assert(files.some((path) => path.endsWith("own.dev.yaml")));
    for (const path of files) assertKeyless(await readFile(path, "utf8"), path);
    assertKeyless(await readFile(join(PROJECT, "Pulumi.dev.yaml"), "utf8"), "Pulumi.dev.yaml");
  });
});
