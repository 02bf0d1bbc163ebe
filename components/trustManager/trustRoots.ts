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

/**
 * A hook for the release that makes the ConfigMap of the trust bundle, where this program had trust-manager make it
 * before: Helm refuses an object of others, and with the Bundle, which Pulumi deletes last, Kubernetes would delete the
 * ConfigMap even if the chart had created it again. So the hook deletes the Bundle first, with its ConfigMap. Running pods keep the
 * files that they have mounted, and new ones wait for the moment until the release is there.
 */
export function handBackHook(name: string, cluster: ClusterAccess): pulumi.ResourceHook {
  return clusterHook<{ namespace: string }>(name, async ({ newInputs: { namespace } }) => {
    if (await deleteOwnBundle(cluster)) {
      await untilGone(namespace, cluster);
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

/** What is seen of the ConfigMap; undefined when it is gone. */
async function findTrustRoots(
  namespace: string,
  cluster: ClusterAccess,
  timeoutMs: number,
): Promise<string | undefined> {
  try {
    const core = await connect(cluster, ({ CoreV1Api }) => CoreV1Api, timeoutMs);
    const { metadata } = await core.readNamespacedConfigMap({ namespace, name: TRUST_ROOTS });
    const owners = (metadata?.ownerReferences ?? []).map(({ kind, name }) => `${kind} ${name}`);
    return owners.length === 0 ? "it belongs to no other object" : `it belongs to ${owners.join(", ")}`;
  } catch (error) {
    const { status, message } = describeError(error);
    return status === 404 ? undefined : message;
  }
}
