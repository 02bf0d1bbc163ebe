import assert from "node:assert/strict";

import { MeshGuard } from "../../components";
import { type Answer, ApiServer, status } from "../support/apiServer";
import { record, type Recording } from "../support/recorder";

const TRY = "POST /api/v1/namespaces/default/pods?dryRun=All";

const ACCEPTED: Answer = { status: 201, body: {} };
const REFUSED = status(403, "ValidatingAdmissionPolicy 'linkerd-mesh-guard' denied request");

describe("the guard of others' namespaces", () => {
  const server = new ApiServer();
  let recording: Recording;

  before(() => server.listen());
  beforeEach(async () => {
    server.requests = [];
    const kubeconfig = server.kubeconfig();
    recording = await record(() => {
      new MeshGuard("guard", { cluster: { kubeconfig } }).coverOthers("others");
    });
  });
  after(() => {
    server.close();
  });

  function deploy(): Promise<void> | void {
    const hook = recording.hooks.get("others-enforced");
    assert.ok(hook);
    const newInputs = { keepers: { policyName: "linkerd-mesh-guard" } };
    return hook.callback({ urn: "", id: "", name: "", type: "", newInputs });
  }

  it("is waited for after its binding", () => {
    const gate = recording.get("RandomId", "others-enforced");
    assert.ok(recording.isAfter(gate, recording.get("ValidatingAdmissionPolicyBinding", "others-binding")));
  });

  it("ends the wait once a pod is refused that asks for it, and not before", async () => {
    server.answers = { [TRY]: ACCEPTED };
    const waiting = deploy();
    while (server.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    server.answers = { [TRY]: REFUSED };
    await waiting;
    assert.ok(server.requests.length > 2);
    for (const { line, body } of server.requests) {
      assert.equal(line, TRY);
      const { metadata } = JSON.parse(body) as { metadata: { annotations: unknown } };
      assert.deepEqual(metadata.annotations, { "linkerd-mtls/guard-probe": "true" });
    }
  });
});
