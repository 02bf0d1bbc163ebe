import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";

import { type Ended, eventually, run, start, succeed, TestSandbox } from "../support/sandbox";

describe("a deployment that is interrupted", () => {
  const sandbox = new TestSandbox("test-interruption");

  after(() => sandbox.remove());

  /** Interrupts a first deployment as soon as it has printed the moment; nothing may run then. */
  async function interrupt(signal: NodeJS.Signals, moment: string): Promise<Ended> {
    const command = start(["up", "--name", sandbox.name]);
    await command.prints(moment);
    command.kill(signal);
    const ended = await command.ended;
    await eventually("no process is left", 30, async () => (await sandbox.processes()).length === 0);
    return ended;
  }

  async function goesOn(): Promise<void> {
    assert.match(await succeed("up", "--name", sandbox.name), /All 2 pods are in the mesh\./);
    assert.match(await succeed("up", "--name", sandbox.name), /Resources:\s+\d+ unchanged\s/);
  }

  for (const [signal, moment] of [
    ["SIGINT", "linkerd-crds-release creating"],
    ["SIGTERM", "linkerd-control-plane-release creating"],
  ] as const) {
    it(`by ${signal} at "${moment}" ends with 130, leaves nothing running, and goes on`, async () => {
      await sandbox.remove();
      const { code, output } = await interrupt(signal, moment);
      assert.equal(code, 130, output);
      assert.match(output, /error: the operation was interrupted\ntry: run the same command again/);
      await goesOn();
    });
  }

  it("by Ctrl-C while the gate waits does not wait for the gate's deadline", async () => {
    await sandbox.remove();
    await sandbox.hold("proxy-injector");
    const began = Date.now();
    const { code, output } = await interrupt("SIGINT", "asking the API server");
    assert.equal(code, 130, output);
    assert(Date.now() - began < 60_000);
    await sandbox.release("proxy-injector");
    await goesOn();
  });

  for (const moment of ["linkerd-control-plane-release creating", "injection-gate-opened creating"]) {
    it(`by the death of its process at "${moment}" leaves no process behind, and goes on`, async () => {
      await sandbox.remove();
      await interrupt("SIGKILL", moment);
      await goesOn();
    });
  }

  it("does not mistake another process for a stale supervisor", async () => {
    await succeed("sandbox", "stop", "--name", sandbox.name);
    const status = JSON.parse(await readFile(sandbox.paths.status, "utf8")) as Record<string, unknown>;
    await writeFile(sandbox.paths.status, JSON.stringify({ ...status, phase: "ready", pid: process.pid }));
    const { code, output } = await run("sandbox", "status", "--name", sandbox.name);
    assert.deepEqual({ code, output }, { code: 3, output: "stopped\n" });
  });

  it("takes another port when its own is taken", async () => {
    const { apiServer } = JSON.parse(await readFile(sandbox.paths.status, "utf8")) as { apiServer: string };
    const other = createServer().listen(Number(new URL(apiServer).port), "127.0.0.1");
    try {
      const output = await succeed("up", "--name", sandbox.name);
      assert(!output.includes(apiServer));
      assert.match(output, /Resources:\s+\d+ unchanged\s/);
    } finally {
      other.close();
    }
  });
});
