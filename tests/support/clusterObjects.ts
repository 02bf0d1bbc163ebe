import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";

import { eventually } from "./eventually";
import type { TestSandbox } from "./testSandbox";

/** Changed by the cluster itself while nothing is deployed. */
const RESTLESS = /^(leases|events|nodes)(\.|$)/;

/** For how long nothing changes in a cluster that has settled, in milliseconds. */
const SETTLED_MS = 1_000;

/** Every object of the cluster with its version. */
export async function clusterObjects(sandbox: TestSandbox): Promise<readonly string[]> {
  const kinds = await sandbox.kubectl(["api-resources", "--verbs=list", "-o=name"]);
  const quiet = kinds.split("\n").filter((kind) => kind !== "" && !RESTLESS.test(kind));
  const columns = "KIND:.kind,NAMESPACE:.metadata.namespace,NAME:.metadata.name,V:.metadata.resourceVersion";
  const args = ["get", quiet.join(","), "-A", "--no-headers", `-o=custom-columns=${columns}`];
  return (await sandbox.kubectl(args)).trim().split("\n").sort();
}

/** What is read of a cluster, once it no longer changes. */
export async function settled(read: () => Promise<readonly string[]>): Promise<readonly string[]> {
  let last = await read();
  await eventually("the cluster's objects stay as they are", 120, async () => {
    const before = last;
    await sleep(SETTLED_MS);
    last = await read();
    return isDeepStrictEqual(last, before);
  });
  return last;
}
