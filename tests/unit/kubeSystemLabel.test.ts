import assert from "node:assert/strict";

import { KubeSystemLabel } from "../../components";
import { record } from "../support/recorder";

describe("KubeSystemLabel", () => {
  it("patches the one label, and does not own the namespace", async () => {
    const recording = await record(() => new KubeSystemLabel("kube-system"));
    const patch = recording.get("NamespacePatch", "kube-system-patch");
    assert.deepEqual(patch.inputs, {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "kube-system", labels: { "config.linkerd.io/admission-webhooks": "disabled" } },
    });
    assert.deepEqual(recording.names().slice(1), [
      "linkerd-mtls:index:KubeSystemLabel kube-system",
      "kubernetes:core/v1:NamespacePatch kube-system-patch",
    ]);
  });
});
