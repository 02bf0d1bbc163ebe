import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import { AppsV1Api, CoreV1Api } from "@kubernetes/client-node";

import { type Ended, eventually, run, start, succeed, TestSandbox } from "../support/sandbox";

const APPLICATION = "hello-world";

/** A meshed namespace and a Deployment that are applied by others, while there is no injector yet. */
const OTHERS = "others";
const OTHERS_OBJECTS = [
  {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: OTHERS, annotations: { "linkerd.io/inject": "enabled" } },
  },
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: OTHERS },
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

describe("an injector that does not answer yet", () => {
  const sandbox = new TestSandbox("test-injector");
  const deadlineSeconds = 8;

  before(async () => {
    await sandbox.remove();
    await sandbox.hold("proxy-injector");
  });
  after(() => sandbox.remove());

  const admittedPods = async () =>
    (await sandbox.podCreations()).filter(({ admitted, namespace }) => admitted && namespace !== "linkerd");

  // Mocha runs the tests of a suite before its nested suites; here the order matters, so all are nested.
  describe("at first", () => {
    it("makes up fail within its deadline, with the reason and what to look at", async () => {
      const { code, output } = await sandbox.up("-c", `linkerd-mtls:gateDeadlineSeconds=${deadlineSeconds}`);
      assert.equal(code, 1);
      assert.match(
        output,
        /before hook "injection-gate" failed: pods are not injected after \d+ tries in [89]\.\d s/,
      );
      assert.match(output, /the mesh guard refused the pod, because the injector did not answer/);
      assert.match(
        output,
        /MutatingWebhookConfiguration linkerd-proxy-injector-webhook-config: present, failurePolicy/,
      );
      assert.match(output, /kubectl -n linkerd logs/);
      assert.match(output, /try: mend it, then run the same command again/);
      assert.doesNotMatch(output, /^\s+at .*\.ts:\d+/m, "a stack trace");

      const { items } = await sandbox.client(CoreV1Api).listNamespace();
      assert(!items.some(({ metadata }) => metadata?.name === APPLICATION));
      assert.deepEqual(await admittedPods(), []);
    });
  });

  describe("and is held back for 20 s during the next up", () => {
    let up: Ended;
    let heldPods: unknown[];

    before(async () => {
      const command = start(["up", "--name", sandbox.name]);
      await command.prints("asking the API server");
      const held = sleep(20_000);
      for (const object of OTHERS_OBJECTS) await sandbox.objects().create(object);
      await held;
      heldPods = await admittedPods();
      await sandbox.release("proxy-injector");
      up = await command.ended;
    });

    it("the application waits, and is then injected at its first creation", () => {
      assert.equal(up.code, 0, up.output);
      assert.deepEqual(heldPods, []);
      assert.match(up.output, /still waiting after 1[0-2]\.\d s, last answer: the mesh guard refused/);
      assert.match(up.output, /^ {2}2 of 2 {2}hello-world$/m);
      // Somebody else's pod may be there by then, or may not.
      assert.match(up.output, /All [23] pods are in the mesh\./);
    });

    it("the guard refuses the pod of somebody else's Deployment until then, and it never runs unmeshed", async () => {
      const apps = sandbox.client(AppsV1Api);
      // The ReplicaSet's controller doubles its pauses; after 20 s of refusals the next one takes up to 20 s.
      await eventually("the Deployment is available", 60, async () => {
        const { status } = await apps.readNamespacedDeployment({ namespace: OTHERS, name: "web" });
        return status?.availableReplicas === 1;
      });
      const attempts = (await sandbox.podCreations()).filter(({ namespace }) => namespace === OTHERS);
      const refused = attempts.filter(({ admitted }) => !admitted);
      assert(refused.length > 0, "the guard refused nothing");
      for (const { message } of refused) {
        assert.match(message, /must have a Linkerd proxy .* on the namespace\) and was not injected/);
      }
      assert.equal(attempts.length - refused.length, 1);
    });

    it("no pod was ever created outside the mesh, and none was created twice", async () => {
      const pods = await admittedPods();
      assert.deepEqual(pods.map(({ namespace }) => namespace).sort(), [APPLICATION, APPLICATION, OTHERS]);
      for (const { containers } of pods) assert(containers.includes("linkerd-proxy"), containers.join(" "));
    });

    it("the next up asks nothing and changes nothing", async () => {
      const output = await succeed("up", "--name", sandbox.name);
      assert.match(output, /Resources:\s+\d+ unchanged\s/);
    });
  });

  describe("and is there at last", () => {
    it("leaves nothing running when the sandbox is stopped, and its data is there at the next start", async () => {
      await succeed("sandbox", "stop", "--name", sandbox.name);
      assert.deepEqual(await sandbox.processes(), []);
      assert.equal((await run("sandbox", "status", "--name", sandbox.name)).code, 3);
      assert.match(await succeed("up", "--name", sandbox.name), /All 3 pods are in the mesh\./);
    });
  });
});
