import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { type Verdict, wait } from "../../components/cluster/waiting";
import { LinkerdCrds } from "../../components/controlPlane/linkerdCrds";
import { LinkerdNamespace } from "../../components/controlPlane/linkerdNamespace";
import { injectionApi } from "../../components/injection/injectionApi";
import { InjectionGate } from "../../components/injection/injectionGate";
import { record } from "../support/recorder";

/** Longer than any test waits. */
const HANGS_SECONDS = 60;

/** Milliseconds that a call took. */
async function duration(call: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await call();
  return performance.now() - began;
}

describe("a credential plugin that hangs", () => {
  const folder = mkdtempSync(join(tmpdir(), "plugin-"));
  const plugin = join(folder, "plugin");
  const kubeconfig = JSON.stringify({
    clusters: [{ name: "here", cluster: { server: "https://127.0.0.1:1" } }],
    users: [
      { name: "me", user: { exec: { apiVersion: "client.authentication.k8s.io/v1", command: plugin } } },
    ],
    contexts: [{ name: "here", context: { cluster: "here", user: "me" } }],
    "current-context": "here",
  });

  before(() => {
    writeFileSync(plugin, `#!/bin/sh\nexec sleep ${HANGS_SECONDS}\n`, { mode: 0o755 });
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it("is named when the time of a request is over", async () => {
    const answer = await injectionApi({ kubeconfig }, "default").dryRun(300);
    assert.deepEqual(answer, {
      injected: false,
      reason: `the API server cannot be reached: no credentials of user me from ${plugin} within 0.3 s`,
    });
  });

  it("does not hold a gate much longer than its deadline", async () => {
    const recording = await record(() => {
      new InjectionGate("gate", { controlPlane: {}, deadlineSeconds: 1, cluster: { kubeconfig } });
    });
    const hook = recording.hooks.get("gate");
    assert.ok(hook);
    const took = await duration(() =>
      assert.rejects(
        async () => hook.callback({ urn: "", id: "", name: "", type: "" }),
        /\(deadline 1 s\)[^]*no credentials of user me from \S+ within 1\.0 s/,
      ),
    );
    assert.ok(took < 8_000, `${took} ms`);
  });

  it("does not hold a hook that asks once, when it is interrupted", async () => {
    const cluster = { kubeconfig };
    const recording = await record(() => {
      new LinkerdNamespace("mesh", { cluster });
      new LinkerdCrds("crds", { namespace: "linkerd", cluster });
    });
    const others = process.listeners("SIGINT");
    process.removeAllListeners("SIGINT");
    try {
      const newInputs = {
        ...{ apiVersion: "v1", kind: "Namespace", metadata: { name: "linkerd" } },
        ...{ name: "linkerd-crds", namespace: "linkerd", description: "" },
      };
      const hooks = [...recording.hooks].filter(([name]) => /-(foreign|records)$/.test(name));
      assert.equal(hooks.length, 2);
      const ended = hooks.map(([name, hook]) =>
        assert.rejects(
          async () => hook.callback({ urn: "", id: "", name: "", type: "", newInputs }),
          new RegExp(`^Error: interrupted: ${name} was not done, because the cluster did not answer yet$`),
        ),
      );
      const took = await duration(async () => {
        // A later moment, in which they ask.
        await sleep(200);
        assert.equal(process.listenerCount("SIGINT"), 1);
        process.emit("SIGINT");
        await Promise.all(ended);
      });
      assert.ok(took < 3_000, `${took} ms`);
      assert.equal(process.listenerCount("SIGINT"), 0);
    } finally {
      for (const listener of others) process.on("SIGINT", listener);
    }
  });
});

describe("wait", () => {
  it("does not wait for a try that is under way when it is interrupted", async () => {
    const interruption = new AbortController();
    let tries = 0;
    const attempt = (): Promise<Verdict> => {
      if (++tries === 1) return Promise.resolve({ done: false, state: "not yet" });
      setTimeout(() => {
        interruption.abort();
      }, 10);
      return new Promise(() => undefined);
    };
    const took = await duration(() =>
      assert.rejects(
        wait({
          ...{ deadlineSeconds: HANGS_SECONDS, attempt, explain: () => Promise.resolve("") },
          interruption: () => ({ signal: interruption.signal, dispose: () => undefined }),
        }),
        /^Error: interrupted after 2 tries in .* s; last answer: not yet$/,
      ),
    );
    assert.ok(took < 2_000, `${took} ms`);
  });
});
