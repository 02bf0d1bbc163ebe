import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { isAdopted, isAdoptedRelease, isKept } from "./adoption";
import { ClusterAccess, connect, describeError } from "./client";
import { ChartReference } from "./helmChart";
import { continueHistory, removeKeys, ReleaseRefusal } from "./helmHistory";
import { isMarked, listRecords } from "./helmRecords";
import { beforeChange, clusterHook, gate } from "./hook";
import { stackName } from "./stackMark";

/** How long to wait for a release, in seconds: images may be slow to pull. */
export const RELEASE_TIMEOUT_SECONDS = 600;

/** Revisions that Helm keeps, each a Secret of the namespace; the default of its command-line tool. Without one, all. */
const RELEASE_HISTORY = 10;

/** How long the API server may take for each answer about Helm's records. */
const RECORDS_TIMEOUT_MS = 30_000;

/** Label selector of the records of upgrades that never ended. */
const UNFINISHED = ",status in (pending-upgrade,pending-rollback)";

/** Inputs of a release that its hook reads. */
interface ReleaseInputs {
  readonly name: string;
  readonly namespace: string;
  readonly description: string;
}

/** Inputs of the gate that removes keys from its history. */
interface HistoryInputs {
  readonly keepers: { readonly release: string; readonly namespace: string };
}

/** What differs between the releases of this program. */
export interface HelmReleaseArgs extends ChartReference {
  /** Name of the release. */
  readonly name: string;
  /** Its namespace, in which no release of this name is of others: they were refused before. */
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

/**
 * A Helm release, awaited unless told otherwise, that can be repeated after an interruption at any moment. One of others
 * that this stack may take over goes on with its history, and is protected.
 */
export function helmRelease(
  name: string,
  args: HelmReleaseArgs,
  cluster: ClusterAccess,
  { hooks = [], ...opts }: HelmReleaseOptions,
): k8s.helm.v3.Release {
  const records = clearRecords(`${name}-records`, cluster);
  const adopted = isAdoptedRelease(cluster, args.name);
  const release = new k8s.helm.v3.Release(
    name,
    {
      ...args,
      createNamespace: false,
      timeout: RELEASE_TIMEOUT_SECONDS,
      maxHistory: RELEASE_HISTORY,
      // For each object, Helm would parse the API's schema to learn whether the API server can check fields, and then not
      // have it do so.
      disableOpenapiValidation: true,
      // Helm then installs over a release that was uninstalled, which the hook says of one of others.
      ...(adopted && { replace: true }),
      // Helm keeps it with the record of a release that is deployed.
      description: pulumi.interpolate`deployed by stack ${cluster.mark ?? stackName()}`,
    },
    {
      ...opts,
      // A release that is about to be created is then never one that is still in use.
      deleteBeforeReplace: true,
      ...(adopted && { protect: isKept(cluster) }),
      hooks: beforeChange(records, ...hooks),
    },
  );
  if (adopted) {
    const { parent } = opts;
    const hook = clusterHook<HistoryInputs>(`${name}-history`, ({ newInputs: { keepers } }) =>
      removeKeys({ cluster, ...keepers }),
    );
    const keepers = { release: args.name, namespace: args.namespace };
    gate(`${name}-history`, hook, keepers, { parent, dependsOn: release });
  }
  return release;
}

/**
 * Removes the records that a killed deployment left with Helm and not in Pulumi's state, because Helm refuses to go on
 * with them: of a release that is about to be created, all ("cannot re-use a name that is still in use"); of one that
 * is about to be updated, those of upgrades that never ended ("another operation is in progress"). Only records go:
 * Helm takes over the objects, which carry the release's name, and changes what differs. A release that is deployed, and
 * not by this stack, is continued where this stack may take it over, and otherwise an error.
 */
function clearRecords(name: string, cluster: ClusterAccess): pulumi.ResourceHook {
  return clusterHook<ReleaseInputs>(name, async ({ newInputs, oldInputs }) => {
    const { name: release, namespace, description } = newInputs;
    const where = { cluster, release, namespace };
    const adopts = oldInputs === undefined && isAdopted(cluster, "HelmRelease", release, namespace);
    try {
      if (adopts) {
        await continueHistory(where);
        return;
      }
      const records = await listRecords(where, oldInputs === undefined ? "" : UNFINISHED);
      const deployed = records.filter(({ status }) => status === "deployed" || status === "superseded");
      if (oldInputs === undefined && deployed.length > 0 && !(await isMarked(where, deployed, description))) {
        throw new ReleaseRefusal(
          `Helm release ${namespace}/${release} exists already, and this stack did not make it; it is left as it is\n` +
            `  uninstall it first if nobody needs it: helm -n ${namespace} uninstall ${release}`,
        );
      }
      const core = await connect(cluster, ({ CoreV1Api }) => CoreV1Api, RECORDS_TIMEOUT_MS);
      for (const record of records) {
        await core.deleteNamespacedSecret({ namespace, name: record.name });
        await pulumi.log.info(
          `an interrupted deployment of this stack left Helm's record ${record.name}: removed`,
        );
      }
    } catch (error) {
      if (error instanceof ReleaseRefusal) {
        throw error;
      }
      const { message } = describeError(error);
      throw new Error(
        `Helm's records of release ${namespace}/${release} cannot be looked up: ${message}\n` +
          `  the deploying user must be allowed to ${adopts ? "list, update" : "list"} and delete secrets in namespace ${namespace}`,
        { cause: error },
      );
    }
  });
}
