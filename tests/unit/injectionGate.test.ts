import assert from "node:assert/strict";

import * as pulumi from "@pulumi/pulumi";

import { InjectionGate } from "../../components";
import { InjectionAnswer } from "../../components/injection/injectionProbe";
import { record, type Recording } from "../support/recorder";

/** A gate whose cluster always gives the same answer. */
async function gate(answer: InjectionAnswer): Promise<{ recording: Recording; asked: () => number }> {
  let asked = 0;
  const recording = await record(
    () =>
      new InjectionGate("gate", {
        controlPlane: { digest: "abc" },
        cluster: {},
        api: {
          dryRun: () => {
            asked++;
            return Promise.resolve(answer);
          },
          diagnose: () => Promise.resolve(["diagnosis"]),
        },
      }),
  );
  return { recording, asked: () => asked };
}

const hookArgs: pulumi.ResourceHookArgs = { urn: "urn", id: "", name: "gate-opened", type: "RandomId" };

describe("InjectionGate", () => {
  it("asks before its child is created, which is replaced when the control plane changes", async () => {
    const { recording } = await gate({ injected: true, proxyImage: "proxy:1" });
    const opened = recording.get("RandomId", "gate-opened");
    assert.deepEqual(opened.inputs, { byteLength: 4, keepers: { digest: "abc" } });
    assert.deepEqual(opened.hooks, { beforeCreate: ["gate"], beforeUpdate: [] });
    assert.equal(opened.parent, recording.get("InjectionGate", "gate").urn);
  });

  it("asks nothing as long as nothing is created", async () => {
    const { recording, asked } = await gate({ injected: true, proxyImage: "proxy:1" });
    assert.equal(asked(), 0);
    await recording.hooks.get("gate")?.callback(hookArgs);
    assert.equal(asked(), 3);
  });

  it("does not run in a preview", async () => {
    const { recording } = await gate({ injected: true, proxyImage: "proxy:1" });
    assert.equal(recording.hooks.get("gate")?.opts?.onDryRun ?? false, false);
  });

  it("fails the creation when pods are not injected", async () => {
    const { recording } = await gate({ injected: false, reason: "not allowed", final: true });
    await assert.rejects(
      Promise.resolve(recording.hooks.get("gate")?.callback(hookArgs)),
      /last answer: not allowed\n {2}diagnosis/,
    );
  });

  it("keeps no credentials in the state", async () => {
    const recording = await record(
      () => new InjectionGate("gate", { controlPlane: {}, cluster: { kubeconfig: "token: credential" } }),
    );
    assert.ok(!JSON.stringify(recording.resources).includes("credential"));
  });

  it("says whether it looks for tap, and gives what changes when it has asked again", async () => {
    const recording = await record(() => {
      const [plain, tap] = [undefined, true].map(
        (tap) => new InjectionGate(`gate-${tap ?? "plain"}`, { controlPlane: {}, cluster: {}, tap }),
      );
      return { plain: [plain?.tap, plain?.opened], tap: [tap?.tap, tap?.opened] };
    });
    assert.deepEqual(recording.outputs, {
      plain: [false, "gate-plain-opened-hex"],
      tap: [true, "gate-true-opened-hex"],
    });
  });

  it("refuses a deadline that is none", async () => {
    await assert.rejects(
      record(() => new InjectionGate("gate", { controlPlane: {}, cluster: {}, deadlineSeconds: 0 })),
      {
        errors: [{ propertyPath: "deadlineSeconds", reason: "must be a whole number, 1 or more, but is 0" }],
      },
    );
  });

  it("refuses a namespace that is none", async () => {
    await assert.rejects(
      record(() => new InjectionGate("gate", { controlPlane: {}, cluster: {}, namespace: "no/namespace" })),
      /namespace must be .*, but is "no\/namespace"/,
    );
  });
});
