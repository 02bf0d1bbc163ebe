import assert from "node:assert/strict";

import { CoreV1Api } from "@kubernetes/client-node";

import { Admissions } from "../support/admissions";
import { configuration, succeedWith } from "../support/command";
import { identityEvents } from "../support/identityEvents";
import { refusingProvider } from "../support/refusingProvider";
import { useSandbox } from "../support/testSandbox";
import { trustRoots } from "../support/trustBundle";

/** Nothing but the mesh itself. */
const BARE = { sampleApplications: [], namespaces: [] };

/** cert-manager's injector gives the CA to the API server. */
const ROTATING = configuration({ ...BARE, rotatingWebhooks: { caInjection: true } });
const GENERATED = configuration({ ...BARE, certificates: "generated" });

/** Where the tests create pods. */
const MESHED = "meshed";

/** Milliseconds between two of them. */
const INTERVAL = 500;

for (const [provider, refuses] of [
  ["takes over what exists", false],
  ["refuses to create what exists", true],
] as const) {
  describe(`certificates that change hands, with a provider that ${provider}`, () => {
    const sandbox = useSandbox(`test-handover-${refuses ? "refused" : "taken"}`);
    let env: NodeJS.ProcessEnv = {};
    const up = (...args: string[]): Promise<string> =>
      succeedWith(env, "up", "--stack", "rotating", "--name", sandbox.name, ...args);

    const anchors = async () => (await trustRoots(sandbox)).data?.["ca-bundle.crt"];

    async function controlPlanePods(): Promise<(string | undefined)[]> {
      const { items } = await sandbox.client(CoreV1Api).listNamespacedPod({ namespace: "linkerd" });
      return items.map(({ metadata }) => metadata?.name).sort();
    }

    /** Deploys one configuration after the other, while pods are created all the time. */
    async function handOver(...configurations: readonly (readonly string[])[]): Promise<Admissions> {
      const work = async (admissions: Admissions): Promise<void> => {
        for (const values of configurations) {
          await up(...values);
          await admissions.another();
        }
      };
      const admissions = await Admissions.during(work, { sandbox, namespace: MESHED }, INTERVAL);
      console.log(`      ${admissions.injected} pods injected, ${admissions.refused} refused by the guard`);
      return admissions;
    }

    before(async () => {
      if (refuses) env = { ...(await refusingProvider(sandbox.paths)) };
      await up(...GENERATED);
      const annotations = { "linkerd.io/inject": "enabled" };
      await sandbox.client(CoreV1Api).createNamespace({ body: { metadata: { name: MESHED, annotations } } });
      await sandbox.injects(MESHED);
    });

    it("are issued by cert-manager, and generated again, without a restart and without a refusal where the webhooks' CA stays", async () => {
      const [before, pods] = [await anchors(), await controlPlanePods()];
      const { refused, unexpected } = await handOver(configuration(BARE), GENERATED);
      assert.deepEqual(unexpected, []);
      assert.equal(refused, 0);
      assert.equal(await anchors(), before);
      assert.deepEqual(await controlPlanePods(), pods);
      assert.equal(await identityEvents(sandbox, "IssuerUpdateSkipped"), 0);
    });

    it("do so where cert-manager injects the CA, too, while every pod is injected", async () => {
      const before = await anchors();
      // The control plane rolls once each way. A pod that the guard refuses meanwhile is tried again by its controller.
      const { unexpected } = await handOver(ROTATING, GENERATED);
      assert.deepEqual(unexpected, []);
      assert.equal(await anchors(), before);
      assert.equal(await identityEvents(sandbox, "IssuerUpdateSkipped"), 0);
    });
  });
}
