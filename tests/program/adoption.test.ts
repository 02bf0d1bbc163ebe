import assert from "node:assert/strict";

import program from "../../index";
import { record, type Recording } from "../support/recorder";
import { stackConfig } from "../support/stackConfig";

/** Name of what a destruction comes to first. */
const LOCK = "linkerd-adoption-lock";

describe("the program that takes a mesh over", () => {
  const deploy = (adopt: object): Promise<Recording> =>
    record(program, {
      stack: "dev",
      config: { ...stackConfig("dev"), "linkerd-mtls:adopt": JSON.stringify(adopt) },
    });
  const objects = ["Namespace linkerd", "HelmRelease linkerd/linkerd-crds"];

  it("has a destruction meet something that is protected before it deletes anything", async () => {
    const recording = await deploy({ objects });
    const lock = recording.get("RandomId", LOCK);
    assert.equal(lock.protect, true);
    // That one is in the state alone: it records the cluster.
    const free = [LOCK, "cluster"];
    const others = recording.resources.filter(({ custom, name }) => custom && !free.includes(name));
    assert(others.length > 30);
    assert.deepEqual(
      others.filter((other) => !recording.isAfter(lock, other)).map(({ name }) => name),
      [],
    );
  });

  it("lets it be destroyed once it is told so", async () => {
    const recording = await deploy({ objects, destroy: true });
    assert.equal(recording.get("RandomId", LOCK).protect, false);
  });

  it("has none of this where it takes nothing over", async () => {
    const recording = await record(program, { stack: "dev", config: stackConfig("dev") });
    assert(!recording.names().some((name) => name.includes(LOCK)));
  });
});
