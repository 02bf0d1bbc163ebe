import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { CoreV1Api, type V1Pod } from "@kubernetes/client-node";

import { isLive } from "../../components/cluster/meshedPods";
import { ownerOf } from "../../components/cluster/podOwner";
import { sandboxTarget } from "../../tools/sandbox/target";
import { testAnchor, testIssuer } from "../support/certificates";
import { issueLeaf, type LeafChain, verifies } from "../support/identityLeaf";
import { ALONE, deployOthers, OTHERS, ROLLED, setBudget } from "../support/otherWorkloads";
import { StackRuns, type Values } from "../support/stackRuns";
import { useSandbox } from "../support/testSandbox";
import { anchorsOf, pemsOf } from "../support/trustBundle";

/** Seconds that a certificate of a proxy lives, and after which an old anchor can go. */
const LIFETIME = 60;
const NAMESPACES = ["one", "two", "three", "four"];
const KINDS = ["Deployment", "Deployment", "Deployment", "StatefulSet", "DaemonSet"];

const BASE: Values = {
  sampleApplications: [],
  issuanceLifetime: `${LIFETIME}s`,
  rolls: { workloads: "all", percent: 50 },
  namespaces: NAMESPACES.map((name) => ({
    name,
    workloads: KINDS.map((kind, index) => ({
      name: `web-${index}`,
      kind,
      drainSeconds: 0,
      podSpec: { terminationGracePeriodSeconds: 0, containers: [{ name: "web", image: "web:1" }] },
    })),
  })),
};

/** The configuration of each stage after another. */
type Stages = readonly [first: Values, both: Values, switched: Values, alone: Values];

const ANCHORS: Stages = [
  { trustAnchors: [{ id: "old" }] },
  { trustAnchors: [{ id: "old" }, { id: "new" }], signingAnchor: "old" },
  { trustAnchors: [{ id: "old" }, { id: "new" }], signingAnchor: "new" },
  { trustAnchors: [{ id: "new" }] },
];

async function provided(): Promise<Stages> {
  const [old, next] = [await testAnchor(), await testAnchor()];
  const [oldIssuer, nextIssuer] = [await testIssuer(old), await testIssuer(next)];
  const anchors = {
    old: { id: "old", certificate: old.certPem },
    new: { id: "new", certificate: next.certPem },
  };
  const by = ({ certPem, keyPem }: typeof old): Values => ({ issuerCertificate: certPem, issuerKey: keyPem });
  return [
    { trustAnchors: [anchors.old], ...by(oldIssuer) },
    { trustAnchors: [anchors.old, anchors.new], ...by(oldIssuer) },
    { trustAnchors: [anchors.old, anchors.new], ...by(nextIssuer) },
    { trustAnchors: [anchors.new], ...by(nextIssuer) },
  ];
}

/** What was seen of a stage. */
interface Row {
  readonly stage: string;
  readonly seconds: number;
  /** Workloads of the stack, and of others, with the restarts of each. */
  readonly own: string;
  readonly others: string;
  verified: number;
  failed: number;
}

for (const certificates of ["generated", "provided", "cert-manager"] as const) {
  describe(`a whole rotation with certificates ${certificates}`, () => {
    const sandbox = useSandbox(`test-rotation-${certificates}`);
    const rows: Row[] = [];
    const leaves: LeafChain[] = [];
    let stages = ANCHORS;
    let stack: StackRuns;

    before(async () => {
      const tools = certificates === "cert-manager" ? (["cert-manager"] as const) : [];
      const target = await sandboxTarget(sandbox.name, new AbortController().signal, { tools });
      if (certificates === "provided") stages = await provided();
      stack = new StackRuns(target, { ...BASE, certificates, rotatingWebhooks: { enabled: false } });
      await stack.up(stages[0]);
      await deployOthers(sandbox);
      await setBudget(sandbox, 1);
      await sleep(5_000);
    });
    after(() => {
      console.table(rows);
    });

    const meshed = async (): Promise<V1Pod[]> => {
      const { items } = await sandbox
        .client(CoreV1Api)
        .listPodForAllNamespaces({ labelSelector: "linkerd.io/control-plane-ns" });
      return items.filter(
        (pod) => isLive(pod) && anchorsOf(pod) !== undefined && pod.metadata?.name !== ALONE,
      );
    };

    /** Every certificate that is still valid, and fresh ones, under the bundle of every pod that runs. */
    async function verify(counts: { verified: number; failed: number }): Promise<void> {
      for (const namespace of ["one", OTHERS]) leaves.push(await issueLeaf(sandbox, namespace));
      const pods = await meshed();
      const now = new Date();
      const valid = leaves.filter(([leaf]) => new Date(leaf.validTo) > now);
      for (const pod of pods) {
        const bundle = pemsOf(anchorsOf(pod)).map((pem) => new X509Certificate(pem));
        for (const chain of valid) counts[verifies(chain, bundle, now) ? "verified" : "failed"]++;
      }
    }

    /** Runs a stage, and verifies all the while. */
    async function stage(name: string, values: Values): Promise<Row> {
      const before = await meshed();
      const counts = { verified: 0, failed: 0 };
      await verify(counts);
      const began = Date.now();
      const up = stack.up(values).then(() => true);
      // While identity itself rolls, nobody answers for a moment.
      while (!(await Promise.race([up, sleep(2_000, false)]))) await verify(counts).catch(() => undefined);
      const seconds = Math.round((Date.now() - began) / 1000);
      await verify(counts);
      const known = new Set(before.map(({ metadata }) => metadata?.uid));
      const after = await meshed();
      const restarted = (others: boolean): string => {
        const owners = after.filter(({ metadata }) => (metadata?.namespace === OTHERS) === others);
        const all = new Set(owners.map(ownerOf));
        const recreated = new Set(owners.filter(({ metadata }) => !known.has(metadata?.uid)).map(ownerOf));
        return `${recreated.size} of ${all.size}`;
      };
      const row = { stage: name, seconds, own: restarted(false), others: restarted(true), ...counts };
      rows.push(row);
      assert.equal(row.failed, 0);
      return row;
    }

    const everything = {
      own: "20 of 20",
      others: `${Object.keys(ROLLED).length} of ${Object.keys(ROLLED).length}`,
    };
    const nothing = { own: "0 of 20", others: everything.others.replace(/^\d+/, "0") };
    const creations = async (): Promise<number> =>
      (await sandbox.podCreations()).filter(({ namespace, admitted }) => admitted && namespace !== "linkerd")
        .length;

    it("adds the anchor, which rolls every workload once", async () => {
      const before = await creations();
      const { own, others } = await stage("add the anchor", stages[1]);
      assert.deepEqual({ own, others }, everything);
      const pods = Object.values(ROLLED).reduce((sum, number) => sum + number, 0);
      assert.equal((await creations()) - before, 20 + pods);
    });

    it("switches the signer, which rolls nothing", async () => {
      // It would refuse the new certificates, so the program refuses the switch.
      await sandbox.client(CoreV1Api).deleteNamespacedPod({ namespace: OTHERS, name: ALONE });
      const { own, others } = await stage("switch the signer", stages[2]);
      assert.deepEqual({ own, others }, nothing);
    });

    it("removes the old anchor once its certificates have ended, which rolls every workload once", async () => {
      // And the difference of clocks that is allowed.
      await sleep((LIFETIME + 65) * 1000);
      const before = await creations();
      const { own, others } = await stage("remove the old anchor", stages[3]);
      assert.deepEqual({ own, others }, everything);
      const pods = Object.values(ROLLED).reduce((sum, number) => sum + number, 0);
      assert.equal((await creations()) - before, 20 + pods);
    });
  });
}
