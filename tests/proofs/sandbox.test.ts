import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";

import { CoreV1Api } from "@kubernetes/client-node";

import { run, succeed } from "../support/command";
import { TestSandbox, useSandbox } from "../support/testSandbox";

describe("a sandbox with stack dev", () => {
  const sandbox = useSandbox("test-sandbox");
  const second = new TestSandbox("test-second");

  before(async () => {
    await second.remove();
    await succeed("up", "--name", sandbox.name);
  });
  after(() => second.remove());

  it("shows an empty preview", async () => {
    assert.match(await succeed("preview", "--name", sandbox.name), /Resources:\s+\d+ unchanged\s/);
  });

  it("lets no other stack into its cluster", async () => {
    const { code, output } = await run("up", "--stack", "rotating", "--name", sandbox.name);
    assert.equal(code, 1, output);
    assert.match(
      output,
      /error: stack dev is deployed here, .*\ntry: npm run up -- --stack rotating --name rotating/,
    );
    assert.doesNotMatch(output, /Updating/);
  });

  it("lets a second sandbox run beside it", async () => {
    await succeed("sandbox", "start", "--name", second.name);
    const { items } = await second.client(CoreV1Api).listNamespace();
    assert(!items.some(({ metadata }) => metadata?.name === "linkerd"));
    assert.equal((await run("sandbox", "status", "--name", sandbox.name)).code, 0);
    await second.remove();
    assert.deepEqual(await second.processes(), []);
  });

  it("does not mistake another process for a stale supervisor", async () => {
    await succeed("sandbox", "stop", "--name", sandbox.name);
    const status = JSON.parse(await readFile(sandbox.paths.status, "utf8")) as Record<string, unknown>;
    await writeFile(sandbox.paths.status, JSON.stringify({ ...status, phase: "ready", pid: process.pid }));
    const { code, output } = await run("sandbox", "status", "--name", sandbox.name);
    assert.deepEqual({ code, output }, { code: 3, output: "stopped\n" });
  });

  it("uses another port when its own is in use", async () => {
    const { apiServer } = JSON.parse(await readFile(sandbox.paths.status, "utf8")) as { apiServer: string };
    const { hostname, port } = new URL(apiServer);
    const other = createServer().listen(Number(port), hostname);
    await once(other, "listening").catch((error: unknown) => {
      // The sandbox of another test may have taken it meanwhile.
      assert.equal((error as NodeJS.ErrnoException).code, "EADDRINUSE");
    });
    try {
      const output = await succeed("up", "--name", sandbox.name);
      assert(!output.includes(apiServer));
      assert.match(output, /Resources:\s+\d+ unchanged\s/);
    } finally {
      other.close();
    }
  });

  it("gives no pod the address of one that ran before the sandbox was stopped", async () => {
    await sandbox.kubectl(["-n", "default", "run", "next", "--image=next"]);
    await sandbox.kubectl(["-n", "default", "wait", "--for=condition=Ready", "pod/next"]);
    const { items } = await sandbox.client(CoreV1Api).listPodForAllNamespaces();
    const addresses = items.map(({ status }) => status?.podIP);
    assert.equal(new Set(addresses).size, items.length, String(addresses));
  });
});
