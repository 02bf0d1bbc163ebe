import type { KubernetesObject, KubernetesObjectApi } from "@kubernetes/client-node";
import * as pulumi from "@pulumi/pulumi";

import { connect, describeError } from "./client";
import type { ReleaseLocation } from "./helmRecords";
import { helmReleaseOf, isOfCli, type ObjectMetadata } from "./ownership";

/** How long the API server may take for each answer. */
const TIMEOUT_MS = 30_000;

/** A kind, by its group and version. */
type Kind = readonly [apiVersion: string, kind: string];

/** Kinds of the release `linkerd-crds`. */
const DEFINITIONS: readonly Kind[] = [["apiextensions.k8s.io/v1", "CustomResourceDefinition"]];

/** Kinds without a namespace, of the other releases. */
const CLUSTER_KINDS: readonly Kind[] = [
  ["rbac.authorization.k8s.io/v1", "ClusterRole"],
  ["rbac.authorization.k8s.io/v1", "ClusterRoleBinding"],
  ["admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"],
  ["admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"],
  ["apiregistration.k8s.io/v1", "APIService"],
];

/** Kinds with a namespace. Secrets are not among them: the stack writes these itself. */
const KINDS: readonly Kind[] = [
  ["v1", "ServiceAccount"],
  ["v1", "ConfigMap"],
  ["v1", "Service"],
  ["apps/v1", "Deployment"],
  ["batch/v1", "CronJob"],
  ["policy/v1", "PodDisruptionBudget"],
  ["rbac.authorization.k8s.io/v1", "Role"],
  ["rbac.authorization.k8s.io/v1", "RoleBinding"],
  ["policy.linkerd.io/v1alpha1", "AuthorizationPolicy"],
  ["policy.linkerd.io/v1alpha1", "MeshTLSAuthentication"],
  ["policy.linkerd.io/v1alpha1", "NetworkAuthentication"],
  ["policy.linkerd.io/v1beta1", "Server"],
  ["linkerd.io/v1alpha2", "ServiceProfile"],
  ["monitoring.coreos.com/v1", "PodMonitor"],
];

const EXTENSION = "linkerd.io/extension";

/** Whether an object is of a release: some have an annotation of the tool, others only a label of Linkerd's. */
function isOf(release: string, { labels = {}, annotations = {} }: ObjectMetadata): boolean {
  return release === "linkerd-viz"
    ? labels[EXTENSION] === "viz"
    : labels[EXTENSION] === undefined &&
        (isOfCli({ annotations }) || labels["linkerd.io/control-plane-ns"] !== undefined);
}

/**
 * Marks what Linkerd's command-line tool has made as the objects of a Helm release, so that Helm takes them over instead
 * of refusing them. Only their metadata is changed. What belongs to a release already, or has no label of Linkerd's, is
 * left as it is.
 */
export async function claimForHelm({ cluster, namespace, release }: ReleaseLocation): Promise<void> {
  const objects = await connect(cluster, (k8s) => k8s.KubernetesObjectApi, TIMEOUT_MS);
  const namespaces = new Set([namespace, "linkerd", "kube-system"]);
  const places =
    release === "linkerd-crds"
      ? [{ kinds: DEFINITIONS }]
      : [{ kinds: CLUSTER_KINDS }, ...[...namespaces].map((place) => ({ kinds: KINDS, namespace: place }))];
  const found = await Promise.all(
    places.flatMap(({ kinds, ...where }) => kinds.map((kind) => list(objects, kind, release, where))),
  );
  const claimed = found.flat();
  const { PatchStrategy } = await import("@kubernetes/client-node");
  for (const { apiVersion, kind, metadata } of claimed) {
    const { name = "", namespace: place } = metadata ?? {};
    const body = {
      apiVersion,
      kind,
      metadata: {
        name,
        ...(place !== undefined && { namespace: place }),
        labels: { "app.kubernetes.io/managed-by": "Helm" },
        annotations: {
          "meta.helm.sh/release-name": release,
          "meta.helm.sh/release-namespace": namespace,
        },
      },
    };
    await objects.patch(body, undefined, undefined, undefined, undefined, PatchStrategy.MergePatch);
  }
  if (claimed.length > 0) {
    await pulumi.log.info(
      `${claimed.length} objects that Linkerd's command-line tool has made are now of Helm release ${namespace}/${release}`,
    );
  }
}

/** Objects of a kind that the tool has made. */
async function list(
  objects: KubernetesObjectApi,
  [apiVersion, kind]: Kind,
  release: string,
  { namespace }: { readonly namespace?: string },
): Promise<KubernetesObject[]> {
  try {
    const { items } = await objects.list(apiVersion, kind, namespace);
    return items
      .filter(({ metadata = {} }) => helmReleaseOf(metadata) === undefined)
      .filter(({ metadata = {} }) => isOf(release, metadata))
      .map(({ metadata }) => ({ apiVersion, kind, metadata }));
  } catch (error) {
    // The cluster has no such kind.
    if (describeError(error).status === 404 || String(error).includes("Unrecognized API version and kind")) {
      return [];
    }
    throw error;
  }
}
