import type { V1ConfigMap } from "@kubernetes/client-node";
import * as pulumi from "@pulumi/pulumi";

import { clusterHook } from "../cluster/hook";
import { Verdict, wait } from "../cluster/waiting";
import { ClusterAccess, connect, describeError } from "../cluster/client";

/** Name of the ConfigMap with the trust bundle, in Linkerd's namespace, and of the Bundle that writes it. */
export const TRUST_ROOTS = "linkerd-identity-trust-roots";

/** Key of the bundle in the ConfigMap. */
export const TRUST_ROOTS_KEY = "ca-bundle.crt";

/** Where the API server has Bundles of trust-manager. */
const BUNDLES = { group: "trust.cert-manager.io", version: "v1alpha1", plural: "bundles" };

/** Group and version of trust-manager's Bundles. */
export const BUNDLE_API_VERSION = `${BUNDLES.group}/${BUNDLES.version}`;

/** Labels by which trust-manager finds Linkerd's namespace. */
export const CONTROL_PLANE_NAMESPACE_LABELS = { "linkerd.io/is-control-plane": "true" } as const;

const MANAGED_BY = "app.kubernetes.io/managed-by";

/** Tells this program's Bundle from one of others. */
export const OWN_BUNDLE_LABELS = { [MANAGED_BY]: "linkerd-mtls" } as const;

const DEADLINE_SECONDS = 60;
/** In a row; trust-manager writes the ConfigMap again as long as it has not seen that the Bundle is gone. */
const LOOKS_IN_A_ROW = 4;

/** As far as it matters here. */
interface Bundle {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
}

/** The release, as its hook sees it. */
interface ReleaseInputs {
  readonly name: string;
  readonly namespace: string;
  readonly values?: { readonly identity?: { readonly externalCA?: boolean } };
}

/**
 * A hook for the release that makes the ConfigMap of the trust bundle, where this program had trust-manager make it
 * before: Helm refuses an object of others, and with the Bundle, which Pulumi deletes last, Kubernetes would delete the
 * ConfigMap even if the chart had created it again. So the hook deletes the Bundle first, with its ConfigMap, and makes
 * that again as the release's: the trust roots are there even where the release fails after it. Running pods keep the
 * files that they have mounted, and new ones wait for this moment. Only a stack that had a Bundle asks for it.
 */
export function handBackHook(name: string, cluster: ClusterAccess): pulumi.ResourceHook {
  return clusterHook<ReleaseInputs>(name, async ({ newInputs: { name: release, namespace }, oldInputs }) => {
    const trustRoots = await readTrustRoots(namespace, cluster, REQUEST_TIMEOUT_MS).catch(() => undefined);
    const usedBundle =
      oldInputs?.values?.identity?.externalCA === true ||
      trustRoots?.metadata?.ownerReferences?.some(({ kind }) => kind === "Bundle") === true;
    if (usedBundle && (await deleteOwnBundle(cluster))) {
      await untilGone(namespace, cluster);
      await makeForRelease(release, namespace, trustRoots?.data, cluster);
      await pulumi.log.info(
        `trust-manager no longer writes ConfigMap ${namespace}/${TRUST_ROOTS}: the chart does`,
      );
    }
  });
}

const REQUEST_TIMEOUT_MS = 30_000;

async function deleteOwnBundle(cluster: ClusterAccess): Promise<boolean> {
  const api = await connect(cluster, ({ CustomObjectsApi }) => CustomObjectsApi, REQUEST_TIMEOUT_MS);
  const where = { ...BUNDLES, name: TRUST_ROOTS };
  try {
    // The client knows nothing of the kind.
    const { metadata } = (await api.getClusterCustomObject(where)) as Bundle;
    if (metadata.labels?.[MANAGED_BY] !== OWN_BUNDLE_LABELS[MANAGED_BY]) {
      return false;
    }
    await api.deleteClusterCustomObject({ ...where, propagationPolicy: "Foreground" });
    return true;
  } catch (error) {
    const { status, message } = describeError(error);
    if (status === 404) {
      return false;
    }
    throw new Error(
      `Bundle ${TRUST_ROOTS}, which the chart replaces, cannot be deleted: ${message}\n` +
        `  the deploying user must be allowed to get and delete bundles of ${BUNDLES.group}`,
      { cause: error },
    );
  }
}

async function untilGone(namespace: string, cluster: ClusterAccess): Promise<void> {
  let gone = 0;
  const attempt = async (timeoutMs: number): Promise<Verdict> => {
    const found = await findTrustRoots(namespace, cluster, timeoutMs);
    gone = found === undefined ? gone + 1 : 0;
    if (found !== undefined) {
      return { done: false, state: found };
    }
    return gone === LOOKS_IN_A_ROW
      ? { done: true }
      : { done: false, confirming: true, state: "gone, looking again to be sure" };
  };
  await wait({
    deadlineSeconds: DEADLINE_SECONDS,
    attempt,
    explain: (state, effort) =>
      Promise.resolve(
        [
          `ConfigMap ${namespace}/${TRUST_ROOTS} is still there ${effort}, although its Bundle was deleted: ${state}`,
          "look at:",
          `  kubectl -n ${namespace} get configmap ${TRUST_ROOTS} -o yaml`,
          `  kubectl get bundle ${TRUST_ROOTS} -o yaml`,
        ].join("\n  "),
      ),
  });
}

/** Makes the ConfigMap with the marks by which Helm knows what belongs to a release. */
async function makeForRelease(
  release: string,
  namespace: string,
  data: Readonly<Record<string, string>> | undefined,
  cluster: ClusterAccess,
): Promise<void> {
  if (data === undefined) {
    return;
  }
  const annotations = { "meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": namespace };
  const metadata = { name: TRUST_ROOTS, labels: { [MANAGED_BY]: "Helm" }, annotations };
  try {
    const core = await connect(cluster, ({ CoreV1Api }) => CoreV1Api, REQUEST_TIMEOUT_MS);
    await core.createNamespacedConfigMap({ namespace, body: { metadata, data } });
  } catch (error) {
    throw new Error(
      `ConfigMap ${namespace}/${TRUST_ROOTS}, which went with its Bundle, cannot be made again: ` +
        `${describeError(error).message}\n  run the same command again: the chart makes it`,
      { cause: error },
    );
  }
}

async function readTrustRoots(
  namespace: string,
  cluster: ClusterAccess,
  timeoutMs: number,
): Promise<V1ConfigMap> {
  const core = await connect(cluster, ({ CoreV1Api }) => CoreV1Api, timeoutMs);
  return core.readNamespacedConfigMap({ namespace, name: TRUST_ROOTS });
}

/** What is seen of the ConfigMap; undefined when it is gone. */
async function findTrustRoots(
  namespace: string,
  cluster: ClusterAccess,
  timeoutMs: number,
): Promise<string | undefined> {
  try {
    const { metadata } = await readTrustRoots(namespace, cluster, timeoutMs);
    const owners = (metadata?.ownerReferences ?? []).map(({ kind, name }) => `${kind} ${name}`);
    return owners.length === 0 ? "it belongs to no other object" : `it belongs to ${owners.join(", ")}`;
  } catch (error) {
    const { status, message } = describeError(error);
    return status === 404 ? undefined : message;
  }
}
