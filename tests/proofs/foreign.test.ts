import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { helmTool } from "../../tools/sandbox/build/helm";
import { type SandboxTools, sandboxTools } from "../../tools/sandbox/build/tools";
import { run as runProgram } from "../../tools/shared/run";
import { testAnchor, testIssuer } from "../support/certificates";
import { settled } from "../support/clusterObjects";
import { configuration, run, succeed } from "../support/command";
import { DEPLOYED_KINDS } from "../support/repeatedDeployment";
import { useSandbox } from "../support/testSandbox";

const GUARD = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: linkerd-mesh-guard }
spec:
  matchConstraints:
    resourceRules: [{ apiGroups: [""], apiVersions: [v1], resources: [nodes], operations: [DELETE] }]
  validations: [{ expression: "true" }]
`;

const ROTATING = ["--stack", "rotating"];
const APPLICATION = configuration({ sampleApplications: [], namespaces: [{ name: "web" }] });

describe("a cluster that has something already", () => {
  const sandbox = useSandbox("test-foreign");
  let tools: SandboxTools;
  let helm: string;

  before(async () => {
    ({ tools } = await sandboxTools());
    ({ tools: helm } = await helmTool());
  });
  beforeEach(async () => {
    await sandbox.remove();
    await succeed("sandbox", "start", "--name", sandbox.name);
  });

  const command = (program: string, args: readonly string[], input?: string): Promise<string> =>
    runProgram(program, args, { env: { KUBECONFIG: sandbox.paths.kubeconfig }, input });
  const kubectl = (args: readonly string[], input?: string): Promise<string> => sandbox.kubectl(args, input);

  /** Kind, name and resource version of each object. A deployment counts without its status. */
  async function objects(): Promise<readonly string[]> {
    const columns =
      "KIND:.kind,NAMESPACE:.metadata.namespace,NAME:.metadata.name,UID:.metadata.uid,GENERATION:.metadata.generation,VERSION:.metadata.resourceVersion";
    const text = await kubectl([
      "get",
      DEPLOYED_KINDS,
      "-A",
      "--no-headers",
      "-o",
      `custom-columns=${columns}`,
    ]);
    return text
      .trim()
      .split("\n")
      .map((line) => (/^(Deployment|CronJob|APIService) /.test(line) ? line.replace(/\S+\s*$/, "") : line))
      .sort();
  }

  /** Waits until cert-manager has written its own certificates, so that it changes nothing later by itself. */
  async function certManagerIsReady(): Promise<void> {
    const configurations = ["mutating", "validating"].map(
      (kind) => `${kind}webhookconfiguration/cert-manager-webhook`,
    );
    await kubectl([
      "wait",
      "--for=jsonpath={.webhooks[0].clientConfig.caBundle}",
      "--timeout=120s",
      ...configurations,
    ]);
    const available = ["--for=condition=Available", "--timeout=120s"];
    await kubectl(["-n", "cert-manager", "wait", "deployments", "--all", ...available]);
  }

  /** Preview and `up` are refused with these words, and neither they nor `destroy` change anything. */
  async function isLeftAlone(args: readonly string[], ...words: readonly (string | RegExp)[]): Promise<void> {
    const before = await settled(objects);
    for (const operation of ["preview", "up"]) {
      const { code, output } = await run(operation, "--name", sandbox.name, ...args);
      assert.notEqual(code, 0, output);
      for (const word of ["did not make it; nothing was changed", ...words]) {
        assert.ok(
          typeof word === "string" ? output.includes(word) : word.test(output),
          `${String(word)}\n${output}`,
        );
      }
    }
    await succeed("down", "--keep", "--name", sandbox.name, ...args);
    assert.deepEqual(await objects(), before);
  }

  it("keeps Linkerd of Helm, cert-manager of a manifest, a namespace and a policy of the guard's name", async () => {
    const anchor = await testAnchor();
    const issuer = await testIssuer(anchor);
    const values = {
      identityTrustAnchorsPEM: anchor.certPem,
      identity: { issuer: { tls: { crtPEM: issuer.certPem, keyPEM: issuer.keyPem } } },
    };
    const install = ["--namespace", "linkerd", "--create-namespace", "--wait"];
    await command(helm, ["install", "linkerd-crds", join(tools.charts, "linkerd-crds"), ...install]);
    await command(
      helm,
      [
        "install",
        "linkerd-control-plane",
        join(tools.charts, "linkerd-control-plane"),
        ...install,
        "-f",
        "-",
      ],
      JSON.stringify(values),
    );
    await kubectl(["create", "namespace", "web"]);
    await kubectl(["apply", "-f", "-"], GUARD);
    await isLeftAlone(
      APPLICATION,
      "Namespace linkerd: written by helm",
      /CustomResourceDefinition \S+ and \d+ more: belongs to Helm release linkerd\/linkerd-crds/,
      "belongs to Helm release linkerd/linkerd-control-plane",
      "ValidatingAdmissionPolicy linkerd-mesh-guard: written by kubectl",
      "Namespace web: written by kubectl",
      "pulumi config set --path 'linkerd-mtls:namespaces[0].existing' true",
    );

    const chart = join(tools.certManagerCharts, "cert-manager");
    const render = ["--namespace", "cert-manager", "--set", "installCRDs=true", "--kube-version", "1.31"];
    await kubectl(["create", "namespace", "cert-manager"]);
    await kubectl(["apply", "-f", "-"], await command(helm, ["template", "cert-manager", chart, ...render]));
    await certManagerIsReady();
    await isLeftAlone(
      ROTATING,
      "Namespace cert-manager: written by kubectl",
      /CustomResourceDefinition \S+cert-manager.io and \d+ more: made by Helm/,
      "pulumi config set --path 'linkerd-mtls:certManager.install' false",
    );
  });

  it("keeps Linkerd of its command-line tool, and cert-manager of Helm", async () => {
    const linkerd = (...args: string[]): Promise<string> =>
      runProgram(tools.linkerd, args, {
        cwd: tools.linkerdSources,
        env: { KUBECONFIG: sandbox.paths.kubeconfig },
      });
    await kubectl(["apply", "-f", "-"], await linkerd("install", "--crds"));
    await kubectl(["apply", "-f", "-"], await linkerd("install", "--ignore-cluster"));
    const chart = join(tools.certManagerCharts, "cert-manager");
    const install = ["--namespace", "cert-manager", "--create-namespace", "--set", "installCRDs=true"];
    await command(helm, ["install", "cert-manager", chart, ...install]);
    await certManagerIsReady();
    await isLeftAlone(
      ROTATING,
      /CustomResourceDefinition \S+linkerd.io and \d+ more: made by linkerd\/cli/,
      "Namespace cert-manager: written by helm",
      "belongs to Helm release cert-manager/cert-manager",
      "pulumi config set --path 'linkerd-mtls:certManager.install' false",
    );
  });

  it("keeps a namespace that another resource of it has made, which Pulumi would delete", async () => {
    const name = "hello-world";
    const uid = ["get", "namespace", name, "-o", "jsonpath={.metadata.uid}"];
    const listed = configuration({ sampleApplications: [], namespaces: [{ name }] });
    await succeed("up", "--name", sandbox.name, ...listed);
    const before = await kubectl(uid);
    const sampled = configuration({ sampleApplications: [name], namespaces: [] });
    const { code, output } = await run("up", "--name", sandbox.name, ...sampled);
    assert.notEqual(code, 0, output);
    assert.ok(
      output.includes(`Namespace ${name} exists already, made by this stack as its resource linkerd-`),
      output,
    );
    assert.equal(await kubectl(uid), before);
  });

  it("keeps a namespace that it would let go of, what another stack has made, and one of the same name whose state was lost", async () => {
    await succeed("up", "--name", sandbox.name, ...APPLICATION);
    const given = configuration({ sampleApplications: [], namespaces: [{ name: "web", existing: true }] });
    const before = await settled(objects);
    for (const operation of ["preview", "up"]) {
      const { code, output } = await run(operation, "--name", sandbox.name, ...given);
      assert.notEqual(code, 0, output);
      assert.ok(output.includes("existing must be false for namespace web: this stack made it"), output);
    }
    assert.deepEqual(await objects(), before);
    await rm(sandbox.paths.state, { recursive: true });
    await isLeftAlone(
      APPLICATION,
      /Namespace linkerd: made by a stack organization\/linkerd-mtls\/dev \w+ with another state than this one's/,
    );
    await isLeftAlone(ROTATING, "Namespace linkerd: made by stack organization/linkerd-mtls/dev");
  });
});
