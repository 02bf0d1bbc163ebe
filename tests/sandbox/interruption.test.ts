import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";

import { eventually, run, start, succeed, TestSandbox } from "./support";

describe("a deployment that is interrupted", () => {
  const sandbox = new TestSandbox("test-interruption");

  before(() => sandbox.remove());
  after(() => sandbox.remove());

  const nothingRuns = () =>
    eventually("no process is left", 20, async () => (await sandbox.processes()).length === 0);

  for (const [signal, moment] of [
    ["SIGINT", "linkerd-crds-release creating"],
    ["SIGTERM", "linkerd-control-plane-release creating"],
  ] as const) {
    it(`by ${signal} while Helm works ends with 130, runs nothing, and goes on with the next up`, async () => {
      const command = start(["up", "--name", sandbox.name]);
      await command.prints(moment);
      command.kill(signal);
      const { code, output } = await command.ended;
      assert.equal(code, 130, output);
      assert.match(output, /error: the operation was interrupted\ntry: run the same command again/);
      await nothingRuns();
    });
  }

  it("by Ctrl-C while the gate waits does not wait for the gate's deadline", async () => {
    await sandbox.holdInjector();
    const command = start(["up", "--name", sandbox.name]);
    await command.prints("asking the API server");
    command.kill("SIGINT");
    const began = Date.now();
    const { code, output } = await command.ended;
    assert.equal(code, 130, output);
    assert(Date.now() - began < 30_000);
    await nothingRuns();
    await sandbox.releaseInjector();
  });

  for (const moment of ["linkerd-control-plane-release", "injection-gate-opened"]) {
    it(`by the death of its process leaves no process behind (${moment})`, async () => {
      const command = start(["up", "--name", sandbox.name]);
      await command.prints(moment);
      command.kill("SIGKILL");
      await command.ended;
      await nothingRuns();
    });
  }

  it("goes on where it was, and then has nothing to do", async () => {
    assert.match(await succeed("up", "--name", sandbox.name), /All 2 pods are in the mesh\./);
    assert.match(await succeed("up", "--name", sandbox.name), /Resources:\s+\d+ unchanged\s/);
  });

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
