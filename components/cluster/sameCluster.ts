import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

import { settled } from "./settled";

/** Recorded where no cluster answered. */
const UNKNOWN = "unknown";

/**
 * Records in the state which cluster the stack is deployed to, and refuses another one: Pulumi takes the objects of the
 * state for those of whatever cluster the kubeconfig names. Await it before anything is created.
 *
 * @param uid Of the cluster's namespace kube-system, which lives as long as the cluster; undefined where it is not known.
 * @throws RunError with the ways out.
 */
export async function requireSameCluster(uid: string | undefined): Promise<void> {
  const record = new random.RandomId(
    "cluster",
    { byteLength: 4, keepers: { uid: uid ?? UNKNOWN } },
    // The first cluster stays recorded.
    { ignoreChanges: ["keepers"] },
  );
  const recorded = (await settled(record.keepers))?.uid ?? UNKNOWN;
  if (uid === undefined || recorded === UNKNOWN || uid === recorded) {
    return;
  }
  throw new pulumi.RunError(
    [
      `This stack is deployed to another cluster: its namespace kube-system had the uid ${recorded}, and here it has ${uid}.`,
      "kubernetes:kubeconfig, kubernetes:context or KUBECONFIG must name the cluster of the stack. Nothing is changed on either cluster.",
      "For this cluster, use a stack of its own:",
      "    pulumi stack init <name>",
      "If the other cluster is gone, or has nothing of this stack, remove the stack from the state and create it again:",
      `    pulumi stack rm --force --preserve-config ${pulumi.getStack()}`,
    ].join("\n"),
  );
}
