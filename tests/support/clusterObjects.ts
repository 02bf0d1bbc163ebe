import type { TestSandbox } from "./testSandbox";

/** Changed by the cluster itself while nothing is deployed. */
const RESTLESS = /^(leases|events|nodes)(\.|$)/;

/** Every object of the cluster with its version. */
export async function clusterObjects(sandbox: TestSandbox): Promise<readonly string[]> {
  const kinds = await sandbox.kubectl(["api-resources", "--verbs=list", "-o=name"]);
  const quiet = kinds.split("\n").filter((kind) => kind !== "" && !RESTLESS.test(kind));
  const columns = "KIND:.kind,NAMESPACE:.metadata.namespace,NAME:.metadata.name,V:.metadata.resourceVersion";
  const args = ["get", quiet.join(","), "-A", "--no-headers", `-o=custom-columns=${columns}`];
  return (await sandbox.kubectl(args)).trim().split("\n").sort();
}
