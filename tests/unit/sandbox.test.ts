import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";

import { fileBackend } from "../../tools/sandbox/backend";
import { isUsable } from "../../tools/sandbox/build/version";
import { toolsFor, wantsNodes } from "../../tools/sandbox/needs";
import { contextPaths } from "../../tools/shared/paths";

describe("a Pulumi on PATH", () => {
  for (const [installed, usable] of [
    ["v3.230.0\n", true],
    ["3.230.1", true],
    ["v3.231.0-alpha.1", true],
    ["3.229.9", false],
    ["3.9.0", false],
    ["4.0.0", false],
    ["unknown", false],
  ] as const) {
    it(`of version ${installed.trim()} is ${usable ? "used" : "not used"} where 3.230.0 is asked for`, () => {
      assert.equal(isUsable(installed, "3.230.0"), usable);
    });
  }
});

describe("the tools that a stack runs", () => {
  it("are the sandbox's own for a stack that asks for nothing else", () => {
    assert.deepEqual(toolsFor({}), []);
    assert.deepEqual(toolsFor({ "linkerd-mtls:trustManager": { enabled: true } }), []);
  });

  it("are those of its certificates and extensions", () => {
    const certificates = { "linkerd-mtls:certificates": "cert-manager" };
    assert.deepEqual(toolsFor(certificates), ["cert-manager"]);
    assert.deepEqual(
      toolsFor({
        ...certificates,
        "linkerd-mtls:trustManager": { enabled: true },
        // The CLI writes flags as text.
        "linkerd-mtls:viz": { enabled: "true" },
      }),
      ["cert-manager", "trust-manager", "linkerd-tap"],
    );
  });

  it("have more nodes where replicas must run on different ones", () => {
    assert.equal(wantsNodes({}), false);
    assert.equal(wantsNodes({ "linkerd-mtls:highAvailability": "true" }), true);
    assert.equal(wantsNodes({ "linkerd-mtls:viz": { highAvailability: true } }), true);
  });
});

describe("the state in files", () => {
  let folder = "";
  const lockFile = () => join(folder, ".pulumi", "locks", "organization", "linkerd-mtls", "dev", "1.json");

  /** A lock as Pulumi writes it. */
  async function lock(pid: number, host = hostname()): Promise<void> {
    await mkdir(join(lockFile(), ".."), { recursive: true });
    await writeFile(
      lockFile(),
      JSON.stringify({ pid, username: "me", hostname: host, timestamp: new Date() }),
    );
  }

  function open() {
    return fileBackend({ ...contextPaths("none"), state: folder });
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "linkerd-mtls-state-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("is Pulumi's own backend in the instance's folder", async () => {
    assert.deepEqual((await open()).env, { PULUMI_BACKEND_URL: `file://${folder}?metadata=skip` });
  });

  it("loses the lock of a process that has ended", async () => {
    const child = spawn("true");
    await once(child, "close");
    await lock(child.pid ?? 0);
    await open();
    assert(!existsSync(lockFile()));
  });

  it("loses the lock of a process whose number another program has", async () => {
    await lock(process.ppid);
    await open();
    assert(!existsSync(lockFile()));
  });

  it("keeps the lock of an operation that runs, and says which it is", async () => {
    // Pulumi's CLI is known by its name.
    const operation = spawn("sleep", ["60"], { argv0: "pulumi" });
    try {
      await lock(operation.pid ?? 0);
      await assert.rejects(open(), {
        message: `another operation is at work on this stack (process ${operation.pid ?? 0} on ${hostname()})`,
      });
      assert(existsSync(lockFile()));
    } finally {
      operation.kill();
    }
  });

  it("keeps a lock of another machine", async () => {
    await lock(1, "elsewhere");
    await assert.rejects(open(), /process 1 on elsewhere/);
    assert(existsSync(lockFile()));
  });

  it("waits for an operation that is ending", async () => {
    const operation = spawn("sleep", ["0.5"], { argv0: "pulumi" });
    await lock(operation.pid ?? 0);
    await open();
    assert(!existsSync(lockFile()));
  });
});
