import * as pulumi from "@pulumi/pulumi";
import type * as random from "@pulumi/random";

import { ClusterAccess, connect, describeError } from "../cluster/client";
import { clusterHook, gate } from "../cluster/hook";

/** How long the API server may take for each answer. */
const TIMEOUT_MS = 30_000;

/** Where the API server has cert-manager's Certificates. */
const CERTIFICATES = { group: "cert-manager.io", version: "v1", plural: "certificates" };

/** As far as it matters here. */
interface Certificate {
  readonly metadata?: { readonly managedFields?: readonly { readonly manager?: string }[] };
}

/**
 * Opens when cert-manager's Certificates of others are gone that this stack takes over, which then makes its own for the
 * same Secrets, or writes these itself: two must not renew one Secret. The Secrets stay, and pods that mount them
 * notice nothing.
 */
export function formerCertificatesGate(
  name: string,
  cluster: ClusterAccess,
  opts: pulumi.CustomResourceOptions,
): random.RandomId {
  const hook = clusterHook(name, async () => {
    for (const object of cluster.adopt?.objects ?? []) {
      const [, namespace, certificate] = /^Certificate (.+)\/(.+)$/.exec(object) ?? [];
      if (namespace !== undefined && certificate !== undefined) {
        await remove(cluster, namespace, certificate);
      }
    }
  });
  return gate(name, hook, {}, opts);
}

async function remove(cluster: ClusterAccess, namespace: string, name: string): Promise<void> {
  const where = { ...CERTIFICATES, namespace, name };
  try {
    const api = await connect(cluster, ({ CustomObjectsApi }) => CustomObjectsApi, TIMEOUT_MS);
    // The client knows nothing of the kind.
    const { metadata } = (await api.getNamespacedCustomObject(where)) as Certificate;
    const managers = (metadata?.managedFields ?? []).map(({ manager = "" }) => manager);
    if (managers.some((manager) => manager.startsWith("pulumi-kubernetes"))) {
      // It is this stack's own.
      return;
    }
    await api.deleteNamespacedCustomObject(where);
    await pulumi.log.info(`deleted Certificate ${namespace}/${name} of others; its Secret stays`);
  } catch (error) {
    const { status, message } = describeError(error);
    if (status !== 404) {
      throw new Error(
        `Certificate ${namespace}/${name} of others cannot be deleted: ${message}\n` +
          `  the deploying user must be allowed to get and delete certificates of ${CERTIFICATES.group}`,
        { cause: error },
      );
    }
  }
}
