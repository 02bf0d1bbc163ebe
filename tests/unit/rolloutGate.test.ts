import assert from "node:assert/strict";

import { rolloutGate } from "../../components/cluster/rolloutGate";
import { type Answer, ApiServer, status } from "../support/apiServer";
import { record, type Recording } from "../support/recorder";

const DEPLOYMENTS = "GET /apis/apps/v1/namespaces/linkerd/deployments?labelSelector=component";
const PODS = "GET /api/v1/namespaces/linkerd/pods?labelSelector=component";

interface Counts {
  readonly observedGeneration?: number;
  readonly replicas?: number;
  readonly updatedReplicas?: number;
  readonly availableReplicas?: number;
}

const ROLLED_OUT = { observedGeneration: 2, replicas: 3, updatedReplicas: 3, availableReplicas: 3 };

const deployments = (...counts: Counts[]): Answer => ({
  body: {
    items: counts.map((status, index) => ({
      metadata: { name: `plane-${index}`, generation: 2 },
      spec: { replicas: 3 },
      status,
    })),
  },
});

describe("rolloutGate", () => {
  const server = new ApiServer();

  before(() => server.listen());
  beforeEach(() => {
    server.answers = { [PODS]: { body: { items: [] } } };
    server.requests = [];
  });
  after(() => {
    server.close();
  });

  const create = (): Promise<Recording> =>
    record(() => {
      const cluster = { kubeconfig: server.kubeconfig() };
      rolloutGate(
        "gate",
        { namespace: "linkerd", selector: "component", digest: "abc", deadlineSeconds: 1, cluster },
        {},
      );
    });

  /** Runs the hook as the engine does before it creates the gate. */
  async function open(): Promise<void> {
    const recording = await create();
    const { inputs: newInputs } = recording.get("RandomId", "gate");
    const hook = recording.hooks.get("gate");
    assert.ok(hook);
    await hook.callback({ urn: "", id: "", name: "", type: "", newInputs });
  }

  it("waits again when what is rolled out changes, and stores no credentials", async () => {
    const gate = (await create()).get("RandomId", "gate");
    assert.deepEqual(gate.inputs.keepers, { namespace: "linkerd", selector: "component", digest: "abc" });
    assert.deepEqual(gate.hooks, { beforeCreate: ["gate"], beforeUpdate: [] });
  });

  it("opens when every Deployment is rolled out", async () => {
    server.answers[DEPLOYMENTS] = deployments(ROLLED_OUT, ROLLED_OUT);
    await open();
    assert.equal(server.requests.length, 1);
  });

  const unfinished: [title: string, counts: Counts, state: string][] = [
    [
      "whose controller has not seen it yet",
      { ...ROLLED_OUT, observedGeneration: 1 },
      "3 of 3 pods available",
    ],
    ["with pods that are not available", { ...ROLLED_OUT, availableReplicas: 2 }, "2 of 3 pods available"],
    [
      "with pods of an older template",
      { ...ROLLED_OUT, replicas: 4 },
      "3 of 3 pods available, 1 of an older template",
    ],
    [
      "with too few new pods",
      { ...ROLLED_OUT, updatedReplicas: 2 },
      "3 of 3 pods available, 1 of an older template",
    ],
    ["without a status", {}, "0 of 3 pods available"],
  ];
  for (const [title, counts, state] of unfinished) {
    it(`does not open for a Deployment ${title}`, async () => {
      server.answers[DEPLOYMENTS] = deployments(ROLLED_OUT, counts);
      await assert.rejects(open(), (error: Error) => {
        assert.match(error.message, /^Deployments in namespace linkerd are not rolled out after \d+ tries/);
        assert.ok(error.message.includes(`(deadline 1 s): plane-1 has ${state}\n`), error.message);
        return true;
      });
    });
  }

  it("does not open where there is no Deployment", async () => {
    server.answers[DEPLOYMENTS] = deployments();
    await assert.rejects(open(), /\(deadline 1 s\): no Deployment found/);
  });

  it("names the pods that are not ready, and why", async () => {
    server.answers[DEPLOYMENTS] = deployments({});
    const waiting = (name: string, reason: string) => ({ name, state: { waiting: { reason } } });
    server.answers[PODS] = {
      body: {
        items: [
          { metadata: { name: "fine" }, status: { conditions: [{ type: "Ready", status: "True" }] } },
          {
            metadata: { name: "identity-1" },
            status: {
              phase: "Pending",
              initContainerStatuses: [waiting("linkerd-init", "ImagePullBackOff")],
              containerStatuses: [waiting("identity", "PodInitializing")],
            },
          },
        ],
      },
    };
    await assert.rejects(open(), (error: Error) => {
      assert.ok(
        error.message.includes("\n  pod identity-1 Pending, linkerd-init: ImagePullBackOff\n"),
        error.message,
      );
      assert.ok(!error.message.includes("fine"));
      return true;
    });
  });

  it("says at once what it may not read", async () => {
    server.answers[DEPLOYMENTS] = status(403, "deployments.apps is forbidden");
    await assert.rejects(open(), /after 1 try .*: deployments\.apps is forbidden/);
  });
});
