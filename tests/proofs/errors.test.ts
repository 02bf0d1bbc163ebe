import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { explain } from "../../tools/sandbox/build/go";
import { start } from "../support/command";

describe("what is said when something is missing", () => {
  let folder = "";

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "linkerd-mtls-test-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** Runs a command that must fail, in an environment where no tool has been built. */
  async function failure(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
    const { code, output } = await start(args, { XDG_CACHE_HOME: join(folder, "cache"), ...env }).ended;
    assert.equal(code, 1, output);
    assert.doesNotMatch(output, /^\s+at .*:\d+:\d+/m, "a stack trace");
    return output;
  }

  it("Go", async () => {
    const output = await failure(["up"], { PATH: folder });
    assert.match(output, /error: Go is needed .* was not found on PATH\ntry: install Go 1\.26 or newer/);
  });

  it("a Go that is new enough", async () => {
    const old = join(folder, "go");
    await writeFile(old, "#!/bin/sh\necho go1.21.5\n");
    await chmod(old, 0o755);
    const output = await failure(["sandbox", "start", "--name", "never"], {
      PATH: `${folder}:/bin:/usr/bin`,
    });
    assert.match(output, /error: Go 1\.26 or newer is needed; PATH has go1\.21\.5/);
    await rm(old);
  });

  it("the module proxy", async () => {
    const output = await failure(["sandbox", "start", "--name", "never"], {
      GOMODCACHE: join(folder, "modules"),
      GOPROXY: "http://127.0.0.1:9",
    });
    assert.match(
      output,
      /error: a module could not be downloaded \(go mod download in tools\/sandbox\/toolchain\/[\w-]+\)/,
    );
    assert.match(output, /try: check the network and `go env GOPROXY`/);
  });

  it("room on the disk", () => {
    const error = explain(
      "go build",
      "compile: writing output: write $WORK/b001/_pkg_.a: no space left on device",
    );
    assert.match(error.message, /the disk is full/);
    assert.match(error.remedy ?? "", /go clean -cache/);
  });

  it("a stack", async () => {
    assert.match(
      await failure(["up", "--stack", "nope"]),
      /error: there is no stack "nope": Pulumi\.nope\.yaml/,
    );
  });

  it("a context, or its confirmation", async () => {
    const kubeconfig = join(folder, "kubeconfig");
    const context = { name: "mine", context: { cluster: "mine", user: "me" } };
    const cluster = { name: "mine", cluster: { server: "https://127.0.0.1:9" } };
    const user = { name: "me", user: {} };
    await writeFile(kubeconfig, JSON.stringify({ contexts: [context], clusters: [cluster], users: [user] }));
    const env = { KUBECONFIG: kubeconfig };
    assert.match(await failure(["up", "--context", "nope"], env), /has no context "nope"; it has mine/);
    assert.match(
      await failure(["up", "--context", "mine"], env),
      /Deploy on context "mine" was not confirmed\ntry: .*--yes/,
    );
    assert.match(await failure(["down", "--context", "mine"], env), /was not confirmed/);
  });

  it("a name that is no path, and a cluster that is not chosen by the way", async () => {
    for (const name of ["..", ".", "", "a/b", "context-X"]) {
      assert.match(await failure(["down", "--name", name]), /cannot be the name of a sandbox/);
    }
    assert.match(
      await failure(["up", "-c", "kubernetes:context=prod"]),
      /the cluster is chosen by --name or --context/,
    );
  });

  it("a value that is a key and a value", async () => {
    assert.match(await failure(["up", "-c", "guardMode=warn"]), /expected NAMESPACE:KEY=VALUE/);
  });
});
