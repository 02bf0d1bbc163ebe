import assert from "node:assert/strict";
import { chmod, cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

import { parse, parseDocument, stringify } from "yaml";

import { pulumiTools } from "../../tools/sandbox/build/pulumi";
import { PROJECT } from "../../tools/shared/paths";
import { CommandError, run } from "../../tools/shared/run";
import { configuration, succeed } from "../support/command";
import { useSandbox } from "../support/testSandbox";

/** What a checkout has and does not commit. */
const NOT_COMMITTED = [".git", ".sandbox", "node_modules"];

const COMMENT = "# until the audit";

describe("npm run rotate -- --cli, with a checkout and a backend of one's own", () => {
  const sandbox = useSandbox("test-rotate-cli");
  let folder = "";
  let checkout = "";
  let file = "";
  let env: Readonly<Record<string, string>> = {};

  before(async () => {
    await succeed("up", "--name", sandbox.name, ...configuration({ sampleApplications: [] }));
    folder = await mkdtemp(join(tmpdir(), "linkerd-mtls-rotate-cli-"));
    checkout = join(folder, "checkout");
    file = join(checkout, "Pulumi.dev.yaml");
    await cp(PROJECT, checkout, {
      recursive: true,
      filter: (source) => !NOT_COMMITTED.includes(relative(PROJECT, source)),
    });
    await symlink(join(PROJECT, "node_modules"), join(checkout, "node_modules"));
    const deployed = await readFile(join(sandbox.paths.workspace, "Pulumi.dev.yaml"), "utf8");
    const { encryptionsalt, config } = parse(deployed) as { encryptionsalt: string; config: object };
    await writeFile(file, `${COMMENT}\n${stringify({ encryptionsalt, config })}`);

    const { tools } = await pulumiTools();
    const real =
      tools.home === undefined
        ? (await run("sh", ["-c", "command -v pulumi"])).trim()
        : join(tools.home, "bin", "pulumi");
    // The real CLI, but for the two commands that need its language host, which can be had nowhere: these are written down.
    const stub = `#!/bin/sh
case "$1" in
  preview|up) echo "$@" >> ${folder}/asked; exit "$(cat ${folder}/$1 2>/dev/null || echo 0)";;
esac
exec ${real} "$@"
`;
    await writeFile(join(folder, "pulumi"), stub);
    await chmod(join(folder, "pulumi"), 0o755);
    env = {
      PATH: `${folder}:${process.env.PATH ?? ""}`,
      ...(tools.home !== undefined && { PULUMI_HOME: tools.home }),
      PULUMI_BACKEND_URL: `file://${sandbox.paths.state}?metadata=skip`,
      PULUMI_CONFIG_PASSPHRASE: await readFile(sandbox.paths.passphrase, "utf8"),
      PULUMI_SKIP_UPDATE_CHECK: "true",
    };
  });
  after(() => rm(folder, { recursive: true, force: true }));

  function rotate(...args: readonly string[]): Promise<string> {
    const command = [
      "--require",
      "./typescript.cjs",
      "tools/rotate/main.ts",
      "--cli",
      "--stack",
      "dev",
      ...args,
    ];
    return run(process.execPath, command, { cwd: checkout, env });
  }

  /** What the CLI was asked to do with the stack since the last call. */
  async function asked(): Promise<string[]> {
    const lines = await readFile(join(folder, "asked"), "utf8").catch(() => "");
    await rm(join(folder, "asked"), { force: true });
    return lines.split("\n").filter((line) => line !== "");
  }

  it("reads the stack where it is, and changes nothing with --plan", async () => {
    const before = await readFile(file, "utf8");
    const output = await rotate("webhook-cas", "--plan");
    assert.match(output, /^Stage: no rotation is under way$/m);
    assert.match(output, /^Next: have the API server trust CA 2 of the webhooks too \(1 of 3\)$/m);
    assert.match(
      output,
      /^Restarts: 2 pods of 2 workloads: .*linkerd-destination, .*linkerd-proxy-injector\.$/m,
    );
    assert.equal(await readFile(file, "utf8"), before);
    assert.deepEqual(await asked(), []);
  });

  it("puts the stack's file back where the preview fails", async () => {
    const before = await readFile(file, "utf8");
    await writeFile(join(folder, "preview"), "255");
    await assert.rejects(rotate("anchor", "--id", "next", "--yes"), (error: unknown) => {
      assert.ok(error instanceof CommandError);
      assert.match(error.stderr, /Nothing was deployed, and the configuration is as it was\./);
      assert.match(error.stderr, /error: pulumi preview --stack dev failed; the reason is above/);
      return true;
    });
    await rm(join(folder, "preview"));
    assert.equal(await readFile(file, "utf8"), before);
    assert.deepEqual(await asked(), ["preview --stack dev"]);
  });

  it("edits the stack's file, previews and deploys, and keeps the edit where `up` fails", async () => {
    await writeFile(join(folder, "up"), "255");
    await assert.rejects(rotate("webhook-cas", "--yes"), /pulumi up .* failed; the reason is above/);
    const text = await readFile(file, "utf8");
    assert.ok(text.startsWith(COMMENT), text);
    const webhooks = parseDocument(text).getIn(["config", "linkerd-mtls:webhookCertificates"]);
    assert.deepEqual(JSON.parse(JSON.stringify(webhooks)), { cas: [1, 2], signingCa: 1 });
    assert.deepEqual(await asked(), ["preview --stack dev", "up --stack dev --yes --skip-preview"]);
    // What was not deployed comes first.
    const output = await rotate("--plan");
    assert.match(output, /^ {2}- the API server does not trust CA 2 of the webhooks yet$/m);
    assert.match(output, /^Next: deploy the configuration as it is$/m);
  });
});
