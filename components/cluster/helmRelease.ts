import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { ClusterAccess, connect, describeError } from "./client";
import { ChartReference } from "./helmChart";
import { beforeChange, clusterHook } from "./hook";

/** How long to wait for a release, in seconds: images may be slow to pull. */
export const RELEASE_TIMEOUT_SECONDS = 600;

/** How long the API server may take for each answer about Helm's records. */
const RECORDS_TIMEOUT_MS = 30_000;

/** What differs between the releases of this program. */
export interface HelmReleaseArgs extends ChartReference {
  /** Name of the release. */
  readonly name: string;
  /** Its namespace, which this program makes, so that every release in it is this program's. */
  readonly namespace: pulumi.Input<string>;
  /** Default: the chart's. */
  readonly values?: pulumi.Input<object>;
  /** Whether to go on without waiting for its objects to be ready, and later gone. Default false. */
  readonly skipAwait?: boolean;
}

/** Options of {@link helmRelease}. */
export interface HelmReleaseOptions extends Omit<pulumi.CustomResourceOptions, "hooks"> {
  /** Run before the release is created and before it is updated. Default: none. */
  readonly hooks?: readonly pulumi.ResourceHook[];
}

/** A Helm release, awaited unless told otherwise, that can be repeated after an interruption at any moment. */
export function helmRelease(
  name: string,
  args: HelmReleaseArgs,
  cluster: ClusterAccess,
  { hooks = [], ...opts }: HelmReleaseOptions,
): k8s.helm.v3.Release {
  const records = clearRecords(`${name}-records`, cluster);
  return new k8s.helm.v3.Release(
    name,
    { ...args, createNamespace: false, timeout: RELEASE_TIMEOUT_SECONDS },
    {
      ...opts,
      // A release that is about to be created is then never one that is still in use.
      deleteBeforeReplace: true,
      hooks: beforeChange(records, ...hooks),
    },
  );
}

/**
 * Removes the records that a killed deployment left with Helm and not in Pulumi's state, because Helm refuses to go on
 * with them: of a release that is about to be created, all ("cannot re-use a name that is still in use"); of one that
 * is about to be updated, those of upgrades that never ended ("another operation is in progress"). Only records go:
 * Helm takes over the objects, which carry the release's name, and changes what differs.
 */
function clearRecords(name: string, cluster: ClusterAccess): pulumi.ResourceHook {
  return clusterHook<{ name: string; namespace: string }>(name, async ({ newInputs, oldInputs }) => {
    const { name: release, namespace } = newInputs;
    const unfinished = oldInputs === undefined ? "" : ",status in (pending-upgrade,pending-rollback)";
    const labelSelector = `owner=helm,name=${release}${unfinished}`;
    try {
      const core = await connect(cluster, ({ CoreV1Api }) => CoreV1Api, RECORDS_TIMEOUT_MS);
      const { items } = await core.listNamespacedSecret({ namespace, labelSelector });
      for (const record of items.map(({ metadata }) => metadata?.name ?? "")) {
        await core.deleteNamespacedSecret({ namespace, name: record });
        await pulumi.log.info(`an interrupted deployment left Helm's record ${record}: removed`);
      }
    } catch (error) {
      const { message } = describeError(error);
      throw new Error(
        `Helm's records of release ${namespace}/${release} cannot be looked up: ${message}\n` +
          `  the deploying user must be allowed to list and delete secrets in namespace ${namespace}`,
        { cause: error },
      );
    }
  });
}
