import assert from "node:assert/strict";

import { AdmissionregistrationV1Api, CoreV1Api } from "@kubernetes/client-node";

import { start, succeed } from "../support/command";
import { eventually } from "../support/eventually";
import { issueLeaf } from "../support/identityLeaf";
import { installByScript, keysFound, MeshWatch, type Rollouts } from "../support/othersMesh";
import { refusingProvider } from "../support/refusingProvider";
import {
  adopt,
  assertServed,
  atMostOnce,
  NO_SAMPLES,
  provesRelease,
  provesTakeover,
} from "../support/takeover";
import { type TestSandbox, useSandbox } from "../support/testSandbox";
import { pemsOf } from "../support/trustBundle";

/** Of the releases, once the stack has them. */
const REVISIONS = { "linkerd-crds": 2, "linkerd-control-plane": 2 };

describe("a mesh of helm install that a stack takes over, rotates and gives back", () => {
  const mesh = provesTakeover({ name: "test-takeover-kept", install: installByScript, revisions: REVISIONS });
  provesRelease(mesh);
});

describe("the same with a provider that refuses to create what exists", () => {
  provesTakeover({
    name: "test-takeover-refused",
    install: installByScript,
    env: async ({ paths }) => ({ ...(await refusingProvider(paths)) }),
    revisions: REVISIONS,
  });
});

/** A moment of a takeover, by what is in the cluster. */
interface Moment {
  readonly what: string;
  readonly isReached: (sandbox: TestSandbox) => Promise<boolean>;
}

const record = (name: string, ...states: readonly string[]): Moment => ({
  what: `Helm's record ${name} is ${states.join(" or ")}`,
  isReached: async (sandbox) => {
    const found = await sandbox.helmReleaseStates();
    return states.some((state) => found.includes(`sh.helm.release.v1.${name} ${state}`));
  },
});

/** In the order in which one takeover after another comes to them. */
const MOMENTS: readonly Moment[] = [
  {
    what: "the guard refuses unmeshed pods",
    isReached: async (sandbox) => {
      const api = sandbox.client(AdmissionregistrationV1Api);
      const { items } = await api.listValidatingAdmissionPolicyBinding();
      return items.some(({ metadata }) => metadata?.name === "linkerd-mesh-guard-others");
    },
  },
  {
    what: "the API server trusts the webhooks' next CA too",
    isReached: async (sandbox) => {
      const api = sandbox.client(AdmissionregistrationV1Api);
      const name = "linkerd-proxy-injector-webhook-config";
      const { webhooks = [] } = await api.readMutatingWebhookConfiguration({ name });
      const bundle = Buffer.from(webhooks[0]?.clientConfig.caBundle ?? "", "base64");
      return pemsOf(bundle.toString()).length > 1;
    },
  },
  {
    what: "a webhook has a certificate of the stack's CA",
    isReached: async (sandbox) => {
      const where = { namespace: "linkerd", name: "linkerd-proxy-injector-k8s-tls" };
      // It is deleted and made again.
      const secret = await sandbox
        .client(CoreV1Api)
        .readNamespacedSecret(where)
        .catch(() => undefined);
      return secret?.metadata?.annotations?.["cert-manager.io/issuer-name"] === "linkerd-mtls";
    },
  },
  record("linkerd-control-plane.v1", "uninstalled", "superseded"),
  record("linkerd-control-plane.v2", "pending-install", "deployed"),
];

/** Has identity start again with what is there, by chance in the middle of a takeover. */
async function restartIdentity(sandbox: TestSandbox): Promise<void> {
  const core = sandbox.client(CoreV1Api);
  const where = { namespace: "linkerd", labelSelector: "linkerd.io/control-plane-component=identity" };
  const { items: before } = await core.listNamespacedPod(where);
  await core.deleteCollectionNamespacedPod(where);
  const old = before.map(({ metadata }) => metadata?.uid);
  await eventually("identity issues again", 120, async () => {
    const { items } = await core.listNamespacedPod(where);
    const isNew = items.every(({ metadata }) => !old.includes(metadata?.uid));
    const leaf = isNew ? await issueLeaf(sandbox, "shop").catch(() => undefined) : undefined;
    return leaf !== undefined;
  });
}

describe("a takeover that is killed", () => {
  const sandbox = useSandbox("test-takeover-killed");
  const watch = new MeshWatch(sandbox);
  const up = ["up", "--name", sandbox.name, ...NO_SAMPLES];
  let pods: readonly string[];
  let rollouts: Rollouts;

  before("a mesh of others", async () => {
    await succeed("sandbox", "start", "--name", sandbox.name);
    await installByScript(sandbox);
    [pods, rollouts] = [await watch.uids(), await watch.rollouts()];
    const { code, output } = await adopt(sandbox);
    assert.equal(code, 0, output);
  });

  for (const moment of MOMENTS) {
    it(`when ${moment.what} leaves the mesh as it is, and identity can start`, async () => {
      const watched = await watch.during(async () => {
        const command = start(up);
        let isOver = false;
        void command.ended.then(() => (isOver = true));
        await eventually(moment.what, 240, async () => isOver || (await moment.isReached(sandbox)));
        command.kill("SIGKILL");
        const { output } = await command.ended;
        assert(await moment.isReached(sandbox), output);
        await restartIdentity(sandbox);
      });
      assertServed(watched);
      assert.deepEqual(await watch.uids(), pods);
      console.log(`      ${(await sandbox.helmReleaseStates()).join(", ")}`);
    });
  }

  it("ends when the same command is repeated, with Helm's history and one roll-out of each Deployment", async () => {
    assertServed(await watch.during(() => succeed(...up)));
    assert.deepEqual(await watch.uids(), pods);
    atMostOnce(rollouts, await watch.rollouts());
    const states = await sandbox.helmReleaseStates();
    assert(states.includes("sh.helm.release.v1.linkerd-control-plane.v1 superseded"), states.join("\n"));
    assert.equal(states.filter((state) => state.endsWith(" deployed")).length, 2, states.join("\n"));
    assert.match(await succeed(...up), /Resources:\s+\d+ unchanged\s/);
    assert.deepEqual(await keysFound(sandbox, {}), []);
  });
});
