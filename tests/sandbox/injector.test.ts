import assert from "node:assert/strict";

import { AppsV1Api, CoreV1Api } from "@kubernetes/client-node";

import { type Ended, run, start, succeed } from "../support/command";
import { eventually } from "../support/eventually";
import { useSandbox } from "../support/testSandbox";

const APPLICATION = "hello-world";

/** An annotated namespace with a Deployment, as another tool applies them. */
const otherTool = (namespace: string) => [
  {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: namespace, annotations: { "linkerd.io/inject": "enabled" } },
  },
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace },
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

/** Namespaces of another tool: before injection is proven, and after. */
const [BEFORE, AGAIN] = ["other-tool", "other-tool-again"];

/** When the gate gives up in the first deployment, and by when it must have said so on any machine. */
const DEADLINE_SECONDS = 4;
const LATEST_SECONDS = 60;

/** What the guard says of a pod that the injector did not see. */
const REFUSED_BY_GUARD = /must have a Linkerd proxy .* on the namespace\) and was not injected/;
/** What an injector that starts may say instead: it answers before it has read the namespaces. */
const REFUSED_BY_INJECTOR = 'admission webhook "linkerd-proxy-injector.linkerd.io" denied the request: ';

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
    assert.match(output, /the pod was accepted without a proxy, so the injector did not answer/);
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

  it("creates no pod for as long as the next up says that it waits, and lets those of others through", async () => {
    const command = start(["up", "--name", sandbox.name]);
    await command.prints("asking the API server");
    for (const object of otherTool(BEFORE)) await sandbox.objects().create(object);
    await command.prints("still waiting after");
    assert.match(
      command.output(),
      /still waiting after \d+\.\d s, last answer: the pod was accepted without a proxy/,
    );
    await eventually("the other tool's pod is created", 30, async () => (await admittedPods()).length > 0);
    assert.deepEqual(
      (await admittedPods()).map(({ namespace, containers }) => ({ namespace, containers })),
      [{ namespace: BEFORE, containers: ["web"] }],
    );
    for (const object of otherTool(BEFORE).toReversed()) await sandbox.objects().delete(object);
    await sandbox.release("proxy-injector");
    late = await command.ended;
  });

  it("then injects the application at its first creation", () => {
    assert.equal(late.code, 0, late.output);
    assert.match(late.output, /^ {2}2 of 2 {2}hello-world$/m);
    assert.match(late.output, /All 2 pods are in the mesh\./);
  });

  it("has the guard refuse the other tool's pod from then on, until the injector answers again", async () => {
    const apps = sandbox.client(AppsV1Api);
    const scale = (replicas: number) =>
      apps.patchNamespacedDeployment({
        namespace: "linkerd",
        name: "linkerd-proxy-injector",
        body: [{ op: "replace", path: "/spec/replicas", value: replicas }],
      });
    const attempts = async () =>
      (await sandbox.podCreations()).filter(({ namespace }) => namespace === AGAIN);
    await scale(0);
    await sandbox.injectorEnded();
    for (const object of otherTool(AGAIN)) await sandbox.objects().create(object);
    await eventually("the guard refuses the pod", 60, async () =>
      (await attempts()).some(({ message }) => REFUSED_BY_GUARD.test(message)),
    );
    await scale(1);
    // The ReplicaSet's controller doubles its pauses.
    await eventually("the Deployment is available", 120, async () => {
      const { status } = await apps.readNamespacedDeployment({ namespace: AGAIN, name: "web" });
      return status?.availableReplicas === 1;
    });
    const refused = (await attempts()).filter(({ admitted }) => !admitted);
    for (const { message } of refused) {
      assert(REFUSED_BY_GUARD.test(message) || message.startsWith(REFUSED_BY_INJECTOR), message);
    }
    assert.equal((await attempts()).length - refused.length, 1);
  });

  it("lets no pod be created outside the mesh once it is proven, and none twice", async () => {
    const pods = (await admittedPods()).filter(({ namespace }) => namespace !== BEFORE);
    assert.deepEqual(pods.map(({ namespace }) => namespace).sort(), [APPLICATION, APPLICATION, AGAIN]);
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
