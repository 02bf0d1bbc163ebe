import assert from "node:assert/strict";

import { CoreV1Api, type V1Pod } from "@kubernetes/client-node";

import { ownerOf } from "../../components/cluster/podOwner";
import { configuration, start, succeed } from "../support/command";
import { eventually } from "../support/eventually";
import { deployOthers, OTHERS, ROLLED, setBudget } from "../support/otherWorkloads";
import { useSandbox } from "../support/testSandbox";
import { anchorsOf, trustRoots } from "../support/trustBundle";

const STACK = {
  sampleApplications: [],
  namespaces: [
    {
      name: "shop",
      workloads: [{ name: "web", podSpec: { containers: [{ name: "web", image: "web:1" }] } }],
    },
  ],
};
const BOTH = { trustAnchors: [{ id: "old" }, { id: "new" }], signingAnchor: "old" };
const PODS = Object.values(ROLLED).reduce((sum, pods) => sum + pods, 0);
/** With the one that nobody owns. */
const CREATED = PODS + 1;

describe("workloads of others that are rolled", () => {
  const sandbox = useSandbox("test-rolls");
  const args = (values: Readonly<Record<string, unknown>>): string[] => [
    ...["up", "--name", sandbox.name],
    ...configuration({ ...STACK, ...values }),
  ];

  const pods = async (): Promise<V1Pod[]> => {
    const { items } = await sandbox.client(CoreV1Api).listNamespacedPod({ namespace: OTHERS });
    return items.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
  };
  const created = async (): Promise<number> =>
    (await sandbox.podCreations()).filter(({ namespace, admitted }) => namespace === OTHERS && admitted)
      .length;
  /** Owners of the pods that have another bundle than the mesh. */
  const stale = async (): Promise<string[]> => {
    const bundle = (await trustRoots(sandbox)).data?.["ca-bundle.crt"]?.trim();
    const others = (await pods()).filter((pod) => anchorsOf(pod) !== bundle);
    return [...new Set(others.map(ownerOf))].sort();
  };
  before(async () => {
    await succeed(...args({ trustAnchors: [{ id: "old" }] }));
    await deployOthers(sandbox);
    await eventually("the pods of others run", 60, async () => (await pods()).length === CREATED);
    assert.deepEqual(await stale(), []);
    await eventually("the audit log has them", 60, async () => (await created()) === CREATED);
  });

  it("are none, unless it is configured", async () => {
    const output = await succeed(...args(BOTH));
    assert.match(output, /kubectl -n others rollout restart statefulset\/db {4}# 2 pods/);
    assert.deepEqual(await stale(), [...Object.keys(ROLLED), "Pod others/alone"].sort());
    assert.equal(await created(), CREATED);
  });

  it("are those that are listed", async () => {
    const rolls = { workloads: ["Deployment others/api"] };
    const output = await succeed(...args({ ...BOTH, rolls }));
    assert.match(output, /rolled 1 of 1: Deployment others\/api in/);
    assert.doesNotMatch(output, /rollout restart deployment\/api/);
    assert.equal(await created(), CREATED + 2);
  });

  it("go on after the process was killed, and wait for a disruption budget", async () => {
    const rolls = { workloads: "all", deadlineSeconds: 30 };
    const killed = start(args({ ...BOTH, rolls }));
    await killed.prints("rolled 1 of 4: DaemonSet others/agent");
    killed.kill("SIGKILL");
    await killed.ended;
    const { code, output } = await start(args({ ...BOTH, rolls })).ended;
    assert.notEqual(code, 0, output);
    assert.match(
      output,
      /ReplicaSet others\/bare does not have the trust bundle in all its pods after .*: bare-\w+ is not evicted: Cannot evict pod as it would violate the pod's disruption budget/,
    );
    assert.match(output, /0 of \d workloads are rolled\. The same command goes on with the rest:/);
    assert.ok((await stale()).includes("ReplicaSet others/bare"));
  });

  it("are all that need it, once, and no others", async () => {
    await setBudget(sandbox, 1);
    const rolls = { workloads: "all", percent: 100 };
    const output = await succeed(...args({ ...BOTH, rolls }));
    assert.match(output, /rolled (\d) of \1: /);
    assert.match(output, /# Pod others\/alone: let it end, or have its owner recreate it/);
    assert.deepEqual(await stale(), ["Pod others/alone"]);
    assert.equal(await created(), CREATED + PODS);
    assert.match(await succeed(...args({ ...BOTH, rolls })), /Resources:\s+\d+ unchanged\s/);
  });
});
