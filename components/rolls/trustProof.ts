import * as pulumi from "@pulumi/pulumi";
import type * as random from "@pulumi/random";

import { sha256 } from "../certificates/pem";
import { ClusterAccess, connect, describeError } from "../cluster/client";
import { clusterHook, gate } from "../cluster/hook";
import { settled } from "../cluster/settled";
import { DeployedMesh, isNewMesh } from "../controlPlane/deployedMesh";
import { readMeshedPods } from "../controlPlane/runningTrust";
import { fingerprints, isSameSet } from "../pki/deployedTrust";
import { describeObstacle } from "../pki/podTrust";
import { MeshedPod } from "../pki/runningTrust";
import { rollOthers } from "./rollOthers";
import { RollSettings } from "./rollSettings";

/** Arguments of a {@link trustProof}. */
export interface TrustProofArgs {
  /** What has the pods: the PEMs of its trust anchors. */
  readonly mesh: { readonly trustBundlePem: pulumi.Input<string>; readonly cluster: ClusterAccess };
  /** What the cluster had before. Default: it is not known. */
  readonly deployed?: DeployedMesh;
  /** Which workloads of others are rolled when they lack the bundle. Default: none. */
  readonly rolls?: RollSettings;
}

/** How long to wait for each answer. */
const TIMEOUT_MS = 15_000;

/**
 * Looks, at the end of an `up` that has changed the trust bundle, whether every meshed pod of the cluster was created with
 * it, after it has rolled those workloads of others that it is told to, and warns of those that were not, with the commands
 * that restart them. Asks nothing where no mesh was deployed before. Name in `dependsOn` all whose pods roll by themselves.
 */
export function trustProof(
  name: string,
  { mesh: { trustBundlePem, cluster }, deployed, rolls }: TrustProofArgs,
  opts: pulumi.CustomResourceOptions,
): random.RandomId {
  const hook = clusterHook(name, async () => {
    if (isNewMesh(deployed)) {
      return;
    }
    const bundle = fingerprints((await settled(trustBundlePem)) ?? "");
    if (rolls !== undefined) {
      const core = await connect(cluster, ({ CoreV1Api }) => CoreV1Api, TIMEOUT_MS);
      const stale = withOtherTrust(await readMeshedPods(core), bundle);
      await rollOthers({ ...rolls, stale, bundle, cluster });
    }
    await report(cluster, bundle);
  });
  const keepers = {
    bundle: pulumi.output(trustBundlePem).apply(sha256),
    // What was not rolled before is, once it is asked for.
    ...(rolls && { rolls: JSON.stringify(rolls.workloads) }),
  };
  return gate(name, hook, keepers, opts);
}

async function report(cluster: ClusterAccess, bundle: ReadonlySet<string>): Promise<void> {
  try {
    const core = await connect(cluster, ({ CoreV1Api }) => CoreV1Api, TIMEOUT_MS);
    const pods = await readMeshedPods(core);
    const others = withOtherTrust(pods, bundle);
    if (others.length === 0) {
      await pulumi.log.info(`all ${pods.length} meshed pods have the trust bundle`);
      return;
    }
    const lines = describeObstacle({ text: "have another trust bundle than the mesh has now", pods: others });
    await pulumi.log.warn(["not every meshed pod has the trust bundle:", ...lines].join("\n"));
  } catch (error) {
    await pulumi.log.warn(
      `it cannot be read whether every meshed pod has the trust bundle: ${describeError(error).message}\n` +
        "    the deploying user must be allowed to list pods of all namespaces",
    );
  }
}

/** Pods that were created with another bundle. Those that read it when they start have rolled with the control plane. */
export function withOtherTrust(pods: readonly MeshedPod[], bundle: ReadonlySet<string>): MeshedPod[] {
  return pods.filter(({ anchors }) => anchors !== undefined && !isSameSet(anchors, bundle));
}
