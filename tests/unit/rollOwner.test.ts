import assert from "node:assert/strict";

import { isRollable, rollOwner } from "../../components/rolls/rollOwner";
import { ApiServer, status } from "../support/apiServer";
import { testAnchor } from "../support/certificates";

const PODS = "GET /api/v1/namespaces/kafka/pods";
const APPS = "GET /apis/apps/v1";
const DEPLOYMENT = "GET /apis/apps/v1/namespaces/kafka/deployments/bridge";

describe("rolling the pods of an owner", () => {
  const server = new ApiServer();
  let old: string;

  before(async () => {
    await server.listen();
    old = (await testAnchor()).certPem;
  });
  beforeEach(() => {
    server.requests = [];
    const resources = [{ name: "deployments", kind: "Deployment", namespaced: true }];
    server.answers = { [APPS]: { body: { kind: "APIResourceList", groupVersion: "apps/v1", resources } } };
  });
  after(() => {
    server.close();
  });

  const roll = (owner: string) =>
    rollOwner({
      ...{ owner, bundle: new Set(["new"]), deadlineSeconds: 1, log: () => undefined },
      cluster: { kubeconfig: server.kubeconfig() },
      interruption: () => ({ signal: new AbortController().signal, dispose: () => undefined }),
    });
  const pods = (kind: string, name: string) => {
    const metadata = {
      namespace: "kafka",
      name: `${name}-0`,
      ownerReferences: [{ kind, name, controller: true }],
    };
    const env = [{ name: "LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS", value: old }];
    const ready = { conditions: [{ type: "Ready", status: "True" }] };
    const spec = { containers: [{ name: "linkerd-proxy", env }] };
    return { body: { metadata: {}, items: [{ metadata, spec, status: ready }] } };
  };

  it("asks Strimzi for it", async () => {
    server.answers[PODS] = pods("StrimziPodSet", "main");
    server.answers["PATCH /api/v1/namespaces/kafka/pods/main-0"] = { body: {} };
    await assert.rejects(
      roll("StrimziPodSet kafka/main"),
      /^Error: StrimziPodSet kafka\/main does not have the trust bundle in all its pods after .*: waits for Strimzi to roll main-0$/,
    );
    const patch = server.requests.find(({ line }) => line.startsWith("PATCH"));
    assert.deepEqual(JSON.parse(patch?.body ?? ""), {
      metadata: { annotations: { "strimzi.io/manual-rolling-update": "true" } },
    });
  });

  it("evicts no pod while another starts", async () => {
    const answer = pods("ReplicaSet", "bare");
    const starting = answer.body.items.map((pod) => ({
      metadata: { ...pod.metadata, name: "bare-1" },
      spec: { containers: [] },
    }));
    server.answers[PODS] = { body: { metadata: {}, items: [...answer.body.items, ...starting] } };
    await assert.rejects(roll("ReplicaSet kafka/bare"), /: waits for bare-1$/);
    assert.ok(server.requests.every(({ line }) => line === PODS));
  });

  it("does not wait for a paused Deployment, or a permission", async () => {
    const metadata = { namespace: "kafka", name: "bridge" };
    server.answers[DEPLOYMENT] = { body: { metadata, spec: { paused: true } } };
    await assert.rejects(
      roll("Deployment kafka/bridge"),
      /after 1 try in .*: it is paused: kubectl -n kafka rollout resume deployment\/bridge$/,
    );
    server.answers[DEPLOYMENT] = status(403, "deployments is forbidden");
    await assert.rejects(roll("Deployment kafka/bridge"), /after 1 try in .*: deployments is forbidden$/);
  });

  it("is over where the owner is gone", async () => {
    server.answers[DEPLOYMENT] = status(404, "not found");
    await roll("Deployment kafka/bridge");
  });

  it("is not for pods that end by themselves, or that nothing recreates", () => {
    const owners = ["Pod a/b", "Job a/b", "CronJob a/b", "DaemonSet a/b", "StrimziPodSet a/b"];
    assert.deepEqual(owners.filter(isRollable), ["DaemonSet a/b", "StrimziPodSet a/b"]);
  });
});
