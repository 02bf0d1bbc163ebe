import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { sandboxTools } from "../../tools/sandbox/build/tools";
import { checkoutFile } from "../../tools/shared/stackFile";
import { run as command } from "../../tools/shared/run";
import { type Command, configuration, type Ended, start } from "../support/command";
import { eventually } from "../support/eventually";
import { identityEvents } from "../support/identityEvents";
import { useSandbox } from "../support/testSandbox";
import { pemsOf, trustRoots } from "../support/trustBundle";

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
    await kubectl("create", "namespace", "others");
    await kubectl("annotate", "namespace", "others", "linkerd.io/inject=enabled");
    await kubectl("-n", "others", "create", "deployment", "api", "--image=api:1", "--replicas=2");
    await kubectl("-n", "others", "rollout", "status", "deployment", "--timeout=60s");
  });

  after(async () => {
    assert.equal(await readFile(checkoutFile("dev"), "utf8"), committed);
  });

  const begin = (...args: readonly string[]): Command =>
    start(["--name", sandbox.name, ...CONFIGURATION, ...args], {}, "tools/rotate/main.ts");
  const rotate = (...args: readonly string[]): Promise<Ended> => begin(...args).ended;

  async function kubectl(...args: readonly string[]): Promise<string> {
    const { tools } = await sandboxTools();
    return command(tools.kubectl, ["--kubeconfig", sandbox.paths.kubeconfig, ...args]);
  }

  /** Runs the commands that a plan printed. */
  async function restartAsPrinted(output: string): Promise<void> {
    const printed = [...output.matchAll(RESTART)].map(([, namespace = "", workload = ""]) => [
      namespace,
      workload,
    ]);
    assert.ok(printed.length > 0, output);
    for (const [namespace = "", workload = ""] of printed) {
      await kubectl("-n", namespace, "rollout", "restart", workload);
      await kubectl("-n", namespace, "rollout", "status", workload, "--timeout=60s");
    }
  }

  const bundle = async (): Promise<string[]> => pemsOf((await trustRoots(sandbox)).data?.["ca-bundle.crt"]);

  function expect({ code, output }: Ended, expected: number, ...lines: readonly string[]): void {
    assert.equal(code, expected, output);
    for (const line of lines) assert.ok(output.includes(line), `"${line}" is not in:\n${output}`);
  }

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
});
