import assert from "node:assert/strict";

import { AppsV1Api, CoreV1Api } from "@kubernetes/client-node";

import { type Ended, run, start, succeed } from "../support/command";
import { eventually } from "../support/eventually";
import { useSandbox } from "../support/testSandbox";

const APPLICATION = "hello-world";

/** A meshed namespace and a Deployment that another tool applies while there is no injector yet. */
const OTHER_TOOL = "other-tool";
const OTHER_TOOL_OBJECTS = [
  {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: OTHER_TOOL, annotations: { "linkerd.io/inject": "enabled" } },
  },
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: OTHER_TOOL },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: { containers: [{ name: "web", image: "web" }] },
      },
    },
  },
];

/** When the gate gives up in the first deployment, and by when it must have said so on any machine. */
const DEADLINE_SECONDS = 4;
const LATEST_SECONDS = 60;

describe("an injector that does not answer yet", () => {
  const sandbox = useSandbox("test-injector");
  let late: Ended;

  before(() => sandbox.hold("proxy-injector"));

  const admittedPods = async () =>
    (await sandbox.podCreations()).filter(({ admitted, namespace }) => admitted && namespace !== "linkerd");

  it("makes up fail at its deadline, with the reason and what to look at", async () => {
    const { code, output } = await sandbox.up("-c", `linkerd-mtls:gateDeadlineSeconds=${DEADLINE_SECONDS}`);
    assert.equal(code, 1);
    const [, seconds] =
      /before hook "linkerd-gate" failed: pods are not injected after \d+ tr(?:y|ies) in (\d+\.\d) s/.exec(
        output,
      ) ?? [];
    assert(Number(seconds) >= DEADLINE_SECONDS && Number(seconds) < LATEST_SECONDS, output);
    assert.match(output, /the mesh guard refused the pod, because the injector did not answer/);
    assert.match(
      output,
      /MutatingWebhookConfiguration linkerd-proxy-injector-webhook-config: present, failurePolicy/,
    );
    assert.match(output, /kubectl -n linkerd logs/);
    assert.match(output, /try: .*then run the same command again/);
    assert.doesNotMatch(output, /^\s+at .*\.ts:\d+/m, "a stack trace");

    const { items } = await sandbox.client(CoreV1Api).listNamespace();
    assert(!items.some(({ metadata }) => metadata?.name === APPLICATION));
    assert.deepEqual(await admittedPods(), []);
  });

  it("keeps every pod waiting for as long as the next up says that it waits", async () => {
    const command = start(["up", "--name", sandbox.name]);
    await command.prints("asking the API server");
    for (const object of OTHER_TOOL_OBJECTS) await sandbox.objects().create(object);
    await command.prints("still waiting after");
    assert.match(command.output(), /still waiting after \d+\.\d s, last answer: the mesh guard refused/);
    assert.deepEqual(await admittedPods(), []);
    await sandbox.release("proxy-injector");
    late = await command.ended;
  });

  it("then injects the application at its first creation", () => {
    assert.equal(late.code, 0, late.output);
    assert.match(late.output, /^ {2}2 of 2 {2}hello-world$/m);
    // The other tool's pod may exist by then, or may not.
    assert.match(late.output, /All [23] pods are in the mesh\./);
  });

  it("has the guard refuse the other tool's pod until then, which never runs unmeshed", async () => {
    const apps = sandbox.client(AppsV1Api);
    // The ReplicaSet's controller doubles its pauses.
    await eventually("the Deployment is available", 120, async () => {
      const { status } = await apps.readNamespacedDeployment({ namespace: OTHER_TOOL, name: "web" });
      return status?.availableReplicas === 1;
    });
    const attempts = (await sandbox.podCreations()).filter(({ namespace }) => namespace === OTHER_TOOL);
    const refused = attempts.filter(({ admitted }) => !admitted);
    assert(refused.length > 0, "the guard refused nothing");
    for (const { message } of refused) {
      assert.match(message, /must have a Linkerd proxy .* on the namespace\) and was not injected/);
    }
    assert.equal(attempts.length - refused.length, 1);
  });

  it("lets no pod be created outside the mesh, and none twice", async () => {
    const pods = await admittedPods();
    assert.deepEqual(pods.map(({ namespace }) => namespace).sort(), [APPLICATION, APPLICATION, OTHER_TOOL]);
    for (const { containers } of pods) assert(containers.includes("linkerd-proxy"), containers.join(" "));
  });

  it("leaves nothing running when the sandbox is stopped, and nothing to change at the next start", async () => {
    const pods = await admittedPods();
    await succeed("sandbox", "stop", "--name", sandbox.name);
    assert.deepEqual(await sandbox.processes(), []);
    assert.equal((await run("sandbox", "status", "--name", sandbox.name)).code, 3);
    const output = await succeed("up", "--name", sandbox.name);
    assert.match(output, /Resources:\s+\d+ unchanged\s/);
    assert.match(output, /All 3 pods are in the mesh\./);
    assert.deepEqual(await admittedPods(), pods);
  });
});
