import assert from "node:assert/strict";

import { AdmissionregistrationV1Api, CoreV1Api, CustomObjectsApi } from "@kubernetes/client-node";

import { eventually } from "./eventually";
import { issueLeaf } from "./identityLeaf";
import { keysFound, type Rollouts } from "./othersMesh";
import { atMostOnce } from "./takenMesh";
import { type OthersMesh, useOthersMesh } from "./takeover";
import type { TestSandbox } from "./testSandbox";
import { pemsOf } from "./trustBundle";

/** A moment of a takeover, by what is in the cluster. */
export interface Moment {
  readonly what: string;
  readonly isReached: (sandbox: TestSandbox) => Promise<boolean>;
}

/** Helm's record of a release is in one of these states. */
export function record(name: string, ...states: readonly string[]): Moment {
  return {
    what: `Helm's record ${name} is ${states.join(" or ")}`,
    isReached: async (sandbox) => {
      const found = await sandbox.helmReleaseStates();
      return states.some((state) => found.includes(`sh.helm.release.v1.${name} ${state}`));
    },
  };
}

/** The guard refuses pods of others. */
export const GUARDED: Moment = {
  what: "the guard refuses unmeshed pods",
  isReached: async (sandbox) => {
    const api = sandbox.client(AdmissionregistrationV1Api);
    const { items } = await api.listValidatingAdmissionPolicyBinding();
    return items.some(({ metadata }) => metadata?.name === "linkerd-mesh-guard-others");
  },
};

/** The webhooks' configurations have the stack's CA, too. */
export const TRUSTED_TOO: Moment = {
  what: "the API server trusts the webhooks' next CA too",
  isReached: async (sandbox) => {
    const api = sandbox.client(AdmissionregistrationV1Api);
    const name = "linkerd-proxy-injector-webhook-config";
    const { webhooks = [] } = await api.readMutatingWebhookConfiguration({ name });
    const bundle = Buffer.from(webhooks[0]?.clientConfig.caBundle ?? "", "base64");
    return pemsOf(bundle.toString()).length > 1;
  },
};

/** The webhooks' Secrets are written. */
export const SIGNED: Moment = {
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
};

/** What cert-manager would renew is gone. */
export const CERTIFICATE_GONE: Moment = {
  what: "cert-manager's Certificate of a webhook is deleted",
  isReached: async (sandbox) => {
    const where = { group: "cert-manager.io", version: "v1", plural: "certificates", namespace: "linkerd" };
    const { items } = (await sandbox.client(CustomObjectsApi).listNamespacedCustomObject(where)) as {
      items: readonly { readonly metadata: { readonly name: string } }[];
    };
    return !items.some(({ metadata }) => metadata.name === "linkerd-proxy-injector");
  },
};

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

/** Tests in which one takeover after another is killed, each at the next of these moments, and the last one ends. */
export function provesKills(others: OthersMesh, moments: readonly Moment[]): void {
  const mesh = useOthersMesh(others);
  const { sandbox, watch } = mesh;
  let rollouts: Rollouts;

  before("its configuration", async () => {
    rollouts = await watch.rollouts();
    const { code, output } = await mesh.adopt();
    assert.equal(code, 0, output);
  });

  for (const moment of moments) {
    it(`killed when ${moment.what} leaves the mesh as it is, and identity can start`, () =>
      mesh.during(moment.what, async () => {
        const command = mesh.start(["up"]);
        let isOver = false;
        void command.ended.then(() => (isOver = true));
        await eventually(moment.what, 240, async () => isOver || (await moment.isReached(sandbox)));
        command.kill("SIGKILL");
        const { output } = await command.ended;
        assert(await moment.isReached(sandbox), output);
        await restartIdentity(sandbox);
      }));
  }

  it("ends when the same command is repeated, with Helm's history and one roll-out of each Deployment", async () => {
    await mesh.during("repeated", () => mesh.succeed(["up"]));
    atMostOnce(rollouts, await watch.rollouts());
    const states = await sandbox.helmReleaseStates();
    for (const [release, revisions] of Object.entries(others.revisions)) {
      const own = states.filter((state) => state.startsWith(`sh.helm.release.v1.${release}.`));
      assert.equal(own.filter((state) => state.endsWith(" deployed")).length, 1, states.join("\n"));
      const first = `sh.helm.release.v1.${release}.v1 superseded`;
      if (revisions > 1) assert(own.includes(first), states.join("\n"));
    }
    await mesh.during("the second time", async () => {
      assert.match(await mesh.succeed(["up"]), /Resources:\s+\d+ unchanged\s/);
    });
    assert.deepEqual(await keysFound(sandbox, {}), []);
  });
}
