import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { CoreV1Api } from "@kubernetes/client-node";

import { PROJECT } from "../../tools/shared/paths";
import { checkoutFile } from "../../tools/shared/stackFile";
import { type Command, configuration, type Ended, run, start } from "../support/command";
import { eventually } from "../support/eventually";
import { identityEvents } from "../support/identityEvents";
import { useSandbox } from "../support/testSandbox";
import { pemsOf, trustRoots } from "../support/trustBundle";
import { livePods, webhookTrust } from "../support/webhookTrust";

const CONFIGURATION = configuration({
  sampleApplications: [],
  namespaces: [
    {
      name: "shop",
      workloads: [{ name: "web", podSpec: { containers: [{ name: "web", image: "web:1" }] } }],
    },
  ],
});

/** A command that a plan prints for pods that must be restarted. */
const RESTART = /^ +kubectl -n (\S+) rollout restart (\S+) /gm;

describe("npm run rotate, with a stack that generates its certificates", () => {
  const sandbox = useSandbox("test-rotate");
  let committed = "";

  before(async () => {
    committed = await readFile(checkoutFile("dev"), "utf8");
    const { code, output } = await sandbox.up(...CONFIGURATION);
    assert.equal(code, 0, output);
    await sandbox.deployOther();
  });

  after(async () => {
    assert.equal(await readFile(checkoutFile("dev"), "utf8"), committed);
  });

  const begin = (...args: readonly string[]): Command =>
    start(["--name", sandbox.name, ...CONFIGURATION, ...args], {}, "tools/rotate/main.ts");
  const rotate = (...args: readonly string[]): Promise<Ended> => begin(...args).ended;

  /** Runs the commands that a plan printed. */
  async function restartAsPrinted(output: string): Promise<void> {
    // A plan is printed before a step and after it, each with an indent of its own.
    const printed = new Map(
      [...output.matchAll(RESTART)].map(([, namespace = "", workload = ""]) => [
        `${namespace} ${workload}`,
        { namespace, workload },
      ]),
    );
    assert.ok(printed.size > 0, output);
    for (const { namespace, workload } of printed.values()) {
      await sandbox.restart(namespace, workload);
    }
  }

  /** Runs it on a terminal, on which a person types that. */
  async function answered(answer: string, ...args: readonly string[]): Promise<Ended> {
    const command = [
      process.execPath,
      "--require",
      "./typescript.cjs",
      "tools/rotate/main.ts",
      "--name",
      sandbox.name,
    ];
    const typed = [...command, ...CONFIGURATION, ...args].map((word) => `'${word}'`).join(" ");
    // Of util-linux: it gives the command a terminal.
    const child = spawn("script", ["--quiet", "--return", "--command", typed, "/dev/null"], { cwd: PROJECT });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const closed = once(child, "close");
    await eventually("it asks", 120, () => output.includes("type yes: ") || child.exitCode !== null);
    child.stdin.write(`${answer}\n`);
    const [code] = (await closed) as [number | null];
    return { code, output };
  }

  const bundle = async (): Promise<string[]> => pemsOf((await trustRoots(sandbox)).data?.["ca-bundle.crt"]);

  function expect({ code, output }: Ended, expected: number, ...lines: readonly string[]): void {
    assert.equal(code, expected, output);
    for (const line of lines) assert.ok(output.includes(line), `"${line}" is not in:\n${output}`);
  }

  /** Certificates of the Secrets of Linkerd's namespace, by the Secret's name. */
  async function certificates(): Promise<Readonly<Record<string, string>>> {
    const { items } = await sandbox
      .client(CoreV1Api)
      .listNamespacedSecret({ namespace: "linkerd", fieldSelector: "type=kubernetes.io/tls" });
    return Object.fromEntries(
      items.map(({ metadata, data }) => [metadata?.name ?? "", data?.["tls.crt"] ?? ""]),
    );
  }
  const issuer = async (): Promise<string | undefined> => (await certificates())["linkerd-identity-issuer"];

  it("does nothing without a wish or a confirmation", async () => {
    expect(await rotate("--plan"), 0, "Next: nothing has to be rotated. To rotate all the same:");
    const unconfirmed = await rotate("anchor", "--id", "next");
    expect(
      unconfirmed,
      1,
      "Next: add trust anchor next, and keep the signer (1 of 3)",
      "nothing was changed",
    );
    assert.equal((await bundle()).length, 1);
  });

  it("asks before it changes anything, and takes yes alone for an answer", async () => {
    const file = join(sandbox.paths.workspace, "Pulumi.dev.yaml");
    const before = await readFile(file, "utf8");
    for (const answer of ["no", ""]) {
      const { code, output } = await answered(answer, "anchor", "--id", "next");
      assert.equal(code, 1, output);
      assert.match(output, /To add trust anchor next, and keep the signer \(1 of 3\), type yes: /);
      assert.match(output, /error: the step was not confirmed; nothing was changed/);
    }
    assert.equal(await readFile(file, "utf8"), before);
    assert.equal((await bundle()).length, 1);
  });

  it("adds an anchor, although it is killed on its way, and waits for pods of others", async () => {
    const killed = begin("anchor", "--id", "next", "--yes");
    await killed.prints("Updating (dev)");
    killed.kill("SIGKILL");
    await killed.ended;
    const resumed = await rotate("--yes");
    expect(
      resumed,
      0,
      "Stage: the configuration is not deployed yet",
      "Next: deploy the configuration as it is",
      "Stage: the new trust anchor is trusted, and the old one signs",
      "Next: sign by trust anchor next (2 of 3)",
      "Must wait: 2 pods created without the new trust anchor would refuse each new certificate. Restart them:",
      "kubectl -n others rollout restart deployment/api    # 2 pods",
    );
    assert.equal((await bundle()).length, 2);
    const updates = await identityEvents(sandbox, "IssuerUpdated");
    expect(await rotate("--yes"), 2, "kubectl -n others rollout restart deployment/api    # 2 pods");
    assert.equal(await identityEvents(sandbox, "IssuerUpdated"), updates);
    await restartAsPrinted(resumed.output);
  });

  it("signs by it once every pod has it", async () => {
    const updates = await identityEvents(sandbox, "IssuerUpdated");
    const signed = await rotate("--yes");
    expect(
      signed,
      0,
      "Restarts: nothing.",
      "Done: sign by trust anchor next (2 of 3).",
      "Stage: the new trust anchor signs, and the old one is trusted still",
    );
    await eventually(
      "identity uses the new issuer",
      180,
      async () => (await identityEvents(sandbox, "IssuerUpdated")) > updates,
    );
  });

  it("drops the old one once no certificate of it lives", async () => {
    const waiting = await rotate("--yes");
    expect(
      waiting,
      2,
      "Next: drop trust anchor 2026 (3 of 3)",
      "created before the issuer changed may have certificates of the anchor that is removed",
      "kubectl -n shop rollout restart deployment/web    # 1 pod",
    );
    const [, next] = await bundle();
    await restartAsPrinted(waiting.output);
    expect(
      await rotate("--yes"),
      0,
      "Done: drop trust anchor 2026 (3 of 3).",
      "Stage: no rotation is under way",
      "Next: nothing has to be rotated.",
    );
    assert.deepEqual(await bundle(), [next]);
  });

  it("reissues the issuer, although Ctrl-C ends it on its way, and restarts nothing", async () => {
    const [before, pods] = [await issuer(), await livePods(sandbox)];
    const begun = begin("issuer", "--yes");
    await begun.prints("Updating (dev)");
    begun.kill("SIGINT");
    const { code, output } = await begun.ended;
    assert.equal(code, 130, output);
    assert.match(output, /error: the operation was interrupted/);
    expect(
      await rotate("--yes"),
      0,
      "Next: deploy the configuration as it is",
      "Done: deploy the configuration as it is.",
      "Next: nothing has to be rotated.",
    );
    assert.notEqual(await issuer(), before);
    assert.deepEqual(await livePods(sandbox), pods);
  });

  it("reissues the certificates of webhooks, and restarts nothing", async () => {
    const [before, pods] = [await certificates(), await livePods(sandbox)];
    expect(
      await rotate("webhooks", "--yes"),
      0,
      "Restarts: nothing.",
      "Done: reissue the webhooks' certificates.",
    );
    const after = await certificates();
    const { "linkerd-identity-issuer": kept, ...webhooks } = before;
    assert.equal(Object.keys(webhooks).length, 3);
    for (const [name, pem] of Object.entries(webhooks)) assert.notEqual(after[name], pem, name);
    assert.equal(after["linkerd-identity-issuer"], kept);
    assert.deepEqual(await livePods(sandbox), pods);
    expect(await rotate("--plan"), 0, "Next: nothing has to be rotated.");
  });

  it("has the API server trust another CA of the webhooks, sign by it, and wait", async () => {
    const all = configuration({ webhookCertificates: { cas: [2], signingCa: 2 } });
    const { code, output } = await run("preview", "--name", sandbox.name, ...CONFIGURATION, ...all);
    assert.notEqual(code, 0, output);
    assert.match(output, /are signed by CA 1, which would be dropped while it signs$/m);
    assert.match(output, /are to be signed by CA 2, which the API server does not trust yet$/m);
    expect(
      await rotate("webhook-cas", "--yes"),
      0,
      "Done: have the API server trust CA 2 of the webhooks too (1 of 3).",
    );
    const signed = await rotate("--yes");
    expect(signed, 0, "Restarts: nothing.", "Done: sign the webhooks' certificates by CA 2 (2 of 3).");
    const { servers } = await webhookTrust(sandbox);
    for (const server of Object.values(servers)) assert.deepEqual(server, { cas: [1, 2], signedBy: [2] });
    expect(await rotate("--yes"), 2, "Next: drop CA 1 of the webhooks (3 of 3)", "Must wait until ");
    const waiting = begin("--yes", "--wait", "10m");
    await waiting.prints("Waiting until ");
    waiting.kill("SIGINT");
    expect(await waiting.ended, 130, "error: interrupted; nothing was changed");
  });
});
