import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { CoreV1Api } from "@kubernetes/client-node";

import { sandboxTarget } from "../../tools/sandbox/target";
import { Admissions } from "../support/admissions";
import { clusterObjects, settled } from "../support/clusterObjects";
import { StackRuns, type Values } from "../support/stackRuns";
import { useSandbox } from "../support/testSandbox";
import { keyText, livePods, webhookTrust } from "../support/webhookTrust";

const BASE: Values = {
  sampleApplications: [],
  viz: { enabled: true },
  namespaces: [
    {
      name: "shop",
      workloads: [{ name: "web", podSpec: { containers: [{ name: "web", image: "web:1" }] } }],
    },
  ],
};

const webhookCertificates = (...[cas, signingCa]: [cas: readonly number[], signingCa: number]): Values => ({
  webhookCertificates: { cas, signingCa },
});

/** What the charts of Linkerd restart when a CA changes, because its PEM is in the checksum of their templates. */
const RESTARTED = [
  "Deployment linkerd-viz/tap",
  "Deployment linkerd-viz/tap-injector",
  "Deployment linkerd/linkerd-destination",
  "Deployment linkerd/linkerd-proxy-injector",
];

/** What a refusal says of the change that it lets through. */
const ACCEPT = /linkerd-mtls:acceptOutage (\S+)/;

/** A pod that is only tried, as often. */
const INTERVAL_MS = 100;

const MESHED = "meshed";

for (const certificates of ["generated", "cert-manager"] as const) {
  describe(`CAs of webhooks that are rotated, with certificates ${certificates}`, () => {
    const sandbox = useSandbox(`test-webhook-cas-${certificates}`);
    const rows: object[] = [];
    let stack: StackRuns;
    let first = "";

    before(async () => {
      const tools = certificates === "cert-manager" ? (["cert-manager"] as const) : [];
      const target = await sandboxTarget(sandbox.name, new AbortController().signal, { tools });
      stack = new StackRuns(target, { ...BASE, certificates });
      await stack.up();
      const annotations = { "linkerd.io/inject": "enabled" };
      await sandbox.client(CoreV1Api).createNamespace({ body: { metadata: { name: MESHED, annotations } } });
      const [ca] = (await webhookTrust(sandbox)).cas;
      first = keyText(ca?.publicKey);
    });
    after(() => {
      console.table(rows);
    });

    /** Each webhook and tap has these CAs, and a certificate of that one. */
    async function assertTrust(cas: readonly number[], signedBy: number): Promise<void> {
      const { servers } = await webhookTrust(sandbox);
      const services = ["linkerd-policy-validator", "linkerd-proxy-injector", "linkerd-sp-validator"];
      assert.deepEqual(Object.keys(servers).sort(), [...services, "tap", "tap-injector"]);
      for (const [service, seen] of Object.entries(servers)) {
        assert.deepEqual(seen, { cas, signedBy: [signedBy] }, service);
      }
    }

    /** Why the API server could not call a webhook and went on without it, since the sandbox was made. */
    const failures = async (): Promise<string[]> => {
      const log = await readFile(join(sandbox.paths.logs, "kube-apiserver.log"), "utf8");
      return log.split("\n").filter((line) => line.includes("Failed calling webhook"));
    };

    /**
     * Deploys a step while pods are tried, none of which comes up without its proxy, and restarts these. A pod may be refused
     * while the injector is replaced; never because the API server does not trust it.
     */
    async function step(name: string, values: Values, ...restarts: readonly string[]): Promise<void> {
      const before = await livePods(sandbox);
      const began = Date.now();
      let seconds = 0;
      const seen = await Admissions.during(
        async (admissions) => {
          await stack.up(values);
          seconds = Math.round((Date.now() - began) / 1000);
          await admissions.another();
        },
        { sandbox, namespace: MESHED, dryRun: "All" },
        INTERVAL_MS,
      );
      const made = [...(await livePods(sandbox))].filter(([uid]) => !before.has(uid));
      const { injected, refused, unexpected } = seen;
      const untrusted = (await failures()).filter((line) => /x509|certificate/.test(line)).length;
      rows.push({
        step: name,
        seconds,
        injected,
        refused,
        unmeshed: unexpected.length,
        untrusted,
        restarted: made.length,
      });
      assert.deepEqual(unexpected, []);
      assert.deepEqual(made.map(([, owner]) => owner).sort(), restarts);
      if (restarts.length === 0) assert.equal(refused, 0);
      assert.equal(untrusted, 0);
    }

    /** A preview and `up` refuse it with these words, and nothing is changed. */
    async function refuse(values: Values, ...words: readonly string[]): Promise<string> {
      let token = "";
      const before = await settled(() => clusterObjects(sandbox));
      for (const name of ["preview", "up"] as const) {
        const { code, output } = await stack.run(name, values);
        assert.notEqual(code, 0, output);
        for (const word of words) assert.ok(output.includes(word), `"${word}" is not in:\n${output}`);
        token = ACCEPT.exec(output)?.[1] ?? "";
      }
      assert.deepEqual(await clusterObjects(sandbox), before);
      return token;
    }

    it("are refused where the API server would not trust what runs", async () => {
      await assertTrust([1], 1);
      await refuse(
        webhookCertificates([2], 2),
        "signed by CA 1, which would be dropped while it signs",
        "to be signed by CA 2, which the API server does not trust yet",
      );
      await refuse(
        webhookCertificates([1, 2], 2),
        "to be signed by CA 2, which the API server does not trust yet",
      );
      // No certificate was made; the keys of the CA that was refused go.
      const { output } = await stack.run("preview");
      assert.doesNotMatch(output, /to (create|update|replace)/);
    });

    it("trusts the new one too", async () => {
      await step("trust both", webhookCertificates([1, 2], 1), ...RESTARTED);
      await assertTrust([1, 2], 1);
      await refuse(webhookCertificates([2], 2), "signed by CA 1, which would be dropped while it signs");
    });

    it("signs by the new one, and restarts nothing", async () => {
      await step("sign by the new one", webhookCertificates([1, 2], 2));
      await assertTrust([1, 2], 2);
    });

    it("drops the old one once its certificates are no longer served", async () => {
      const values = webhookCertificates([2], 2);
      await refuse(values, "must wait until", "webhooks reload their certificates within 120 s");
      await sleep(121_000);
      await step("drop the old one", values, ...RESTARTED);
      await assertTrust([2], 2);
      const [ca, ...more] = (await webhookTrust(sandbox)).cas;
      assert.deepEqual(more, []);
      assert.notEqual(keyText(ca?.publicKey), first);
      const { output } = await stack.run("preview", values);
      assert.doesNotMatch(output, /to (create|update|replace|delete)/);
    });

    it("are replaced at once where their key was stolen and that is said, with new pods refused meanwhile", async () => {
      const values = webhookCertificates([3], 3);
      const acceptOutage = await refuse(values, "signed by CA 2, which would be dropped while it signs");
      const seen = await Admissions.during(
        async (admissions) => {
          await stack.up({ ...values, acceptOutage });
          await admissions.another();
        },
        { sandbox, namespace: MESHED, dryRun: "All" },
        INTERVAL_MS,
      );
      console.log(`      ${seen.injected} injected, ${seen.refused} refused by the guard`);
      assert.deepEqual(seen.unexpected, []);
      await assertTrust([3], 3);
    });
  });
}
