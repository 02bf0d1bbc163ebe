import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { pulumiTools } from "../../tools/sandbox/build/pulumi";
import { LINKERD_RELEASE } from "../../tools/sandbox/build/manifest";
import { sandboxTools } from "../../tools/sandbox/build/tools";
import { PROJECT } from "../../tools/shared/paths";
import { run } from "../../tools/shared/run";
import { isMeshed, useSandbox } from "../support/testSandbox";
import { succeed } from "../support/command";

/** Pulumi's CLI has no language host in the sandbox: the Automation API calls the program instead, in Node.js as it would. */
const DEPLOY = `
const { LocalWorkspace, PulumiCommand } = require("@pulumi/pulumi/automation");
(async () => {
  const pulumiCommand = await PulumiCommand.get({ root: process.env.PULUMI_HOME });
  const args = { stackName: "dev", projectName: "shop", program: () => require("./index.ts")() };
  const stack = await LocalWorkspace.createOrSelectStack(args, { workDir: __dirname, pulumiCommand });
  const { summary } = await stack[process.argv[2]]({ color: "never" });
  console.log(JSON.stringify(summary.resourceChanges));
})().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
`;

/** The settings that the README names. */
const PULUMI_YAML = `
name: shop
runtime: { name: nodejs, options: { typescript: false, nodeargs: --require linkerd-mtls/typescript.cjs } }
config: { "kubernetes:enableSecretMutable": { value: true } }
`;

describe("the package, installed in a folder elsewhere", () => {
  const sandbox = useSandbox("test-package");
  let folder: string;
  let env: Readonly<Record<string, string>>;

  const deploy = async (command: string): Promise<Record<string, number>> => {
    const output = await run(
      process.execPath,
      ["--require", "linkerd-mtls/typescript.cjs", "deploy.cjs", command],
      {
        cwd: folder,
        env,
      },
    );
    return JSON.parse(output.trim().split("\n").at(-1) ?? "") as Record<string, number>;
  };

  before("a cluster, and the program of the README beside what npm pack has made", async () => {
    const { tools: pulumi } = await pulumiTools();
    const { tools } = await sandboxTools();
    await succeed("sandbox", "start", "--name", sandbox.name);
    folder = await mkdtemp(join(tmpdir(), "linkerd-mtls-package-"));
    await run("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: PROJECT });
    const [archive = ""] = await readdir(folder);
    await writeFile(join(folder, "package.json"), '{"private":true}');
    const quietly = [
      "--silent",
      "--no-audit",
      "--no-fund",
      "--ignore-scripts",
      "--prefer-offline",
      "--fetch-retries=5",
    ];
    await run("npm", ["install", ...quietly, `./${archive}`], { cwd: folder });
    const [, program = ""] =
      /## In your own program[\s\S]*?```ts\n([\s\S]*?)```/.exec(
        await readFile(join(PROJECT, "README.md"), "utf8"),
      ) ?? [];
    // The charts of the sandbox, which has no way to a repository.
    const charts = `charts: { source: ${JSON.stringify(tools.charts)}, version: "${LINKERD_RELEASE}" },`;
    const lines = program.replace("    cluster: {},", `    ${charts}\n    cluster: {},`);
    assert.notEqual(lines, program);
    await writeFile(join(folder, "index.ts"), lines);
    await writeFile(join(folder, "deploy.cjs"), DEPLOY);
    await writeFile(join(folder, "Pulumi.yaml"), PULUMI_YAML);
    await mkdir(join(folder, "state"));
    env = {
      ...(pulumi.home !== undefined && { PULUMI_HOME: pulumi.home }),
      KUBECONFIG: sandbox.paths.kubeconfig,
      PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "of this test",
      PULUMI_CREDENTIALS_PATH: folder,
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    };
  });

  after(() => rm(folder, { recursive: true }));

  it("deploys the program of the README, whose pods are created once and in the mesh", async () => {
    const changes = await deploy("up");
    assert.deepEqual(Object.keys(changes), ["create"]);
    const pods = (await sandbox.podCreations()).filter(({ namespace }) => namespace === "shop");
    assert.equal(pods.filter((pod) => pod.admitted && isMeshed(pod)).length, 2);
    assert.equal(pods.filter(({ admitted }) => admitted).length, 2);
  });

  it("changes nothing the second time", async () => {
    assert.deepEqual(Object.keys(await deploy("up")), ["same"]);
  });

  it("finds by npx that the mesh is healthy", async () => {
    const args = [
      "--no-install",
      "linkerd-mtls-verify",
      "--kubeconfig",
      sandbox.paths.kubeconfig,
      "--output",
      "json",
    ];
    const answer = await run("npx", args, { cwd: folder, env });
    assert.equal((JSON.parse(answer) as { healthy: boolean }).healthy, true);
  });

  it("leaves nothing when it is destroyed", async () => {
    assert.deepEqual(Object.keys(await deploy("destroy")), ["delete"]);
    assert.deepEqual(await sandbox.helmReleaseStates(), []);
  });
});
