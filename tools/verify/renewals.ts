import { type ClusterAccess, connect } from "../../components/cluster/client";
import { unlessAbsent } from "../../components/controlPlane/deployedMesh";

/** When cert-manager renews, by `<namespace>/<name>` of the Secret. */
export type Renewals = Readonly<Record<string, Date>>;

/** A Certificate of cert-manager, as far as it matters here. */
interface Certificate {
  readonly spec: { readonly secretName: string };
  readonly status?: { readonly renewalTime?: string };
}

const CERTIFICATES = { group: "cert-manager.io", version: "v1", plural: "certificates" };

/** Asks the Certificates of these namespaces when they are renewed; none where there is no cert-manager. */
export async function readCertificates(
  access: ClusterAccess,
  namespaces: readonly string[],
  timeoutMs: number,
): Promise<Renewals> {
  const api = await connect(access, (k8s) => k8s.CustomObjectsApi, timeoutMs);
  const entries = namespaces.map(async (namespace) => {
    // Their answers are typed `any`: the client knows nothing of the kind.
    const list: unknown = await unlessAbsent(api.listNamespacedCustomObject({ ...CERTIFICATES, namespace }));
    const { items } = (list ?? { items: [] }) as { readonly items: readonly Certificate[] };
    return items.flatMap(({ spec, status }) =>
      status?.renewalTime === undefined
        ? []
        : [[`${namespace}/${spec.secretName}`, new Date(status.renewalTime)] as const],
    );
  });
  return Object.fromEntries((await Promise.all(entries)).flat());
}
