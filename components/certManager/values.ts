import { hasCrdValues } from "./version";

/** The values that this program sets in the chart cert-manager. */
export interface CertManagerValues {
  /** Installs the custom resource definitions, before v1.15. */
  readonly installCRDs?: true;
  /** Installs the custom resource definitions and deletes them with the release, since v1.15. */
  readonly crds?: { readonly enabled: true; readonly keep: false };
  readonly global: {
    /** Namespace of the leader's leases. In kube-system, the default, they would remain after deletion. */
    readonly leaderElection: { readonly namespace: string };
  };
  /** Replicas of the controller. */
  readonly replicaCount: number;
  /** Since v1.15. */
  readonly podDisruptionBudget?: { readonly enabled: true };
  readonly webhook: Replicas;
  readonly cainjector: Replicas;
}

interface Replicas {
  readonly replicaCount: number;
  readonly podDisruptionBudget?: { readonly enabled: true };
}

/** For high availability, see https://cert-manager.io/docs/installation/best-practice/. */
const HA_REPLICAS = { controller: 2, webhook: 3, cainjector: 2 };
const REPLICAS = { controller: 1, webhook: 1, cainjector: 1 };

/** The values of cert-manager. */
export function certManagerValues(args: {
  version: string;
  namespace: string;
  highAvailability: boolean;
}): CertManagerValues {
  const { version, namespace, highAvailability } = args;
  const replicas = highAvailability ? HA_REPLICAS : REPLICAS;
  const budget =
    highAvailability && hasCrdValues(version) ? { podDisruptionBudget: { enabled: true } as const } : {};
  return {
    ...(hasCrdValues(version) ? { crds: { enabled: true, keep: false } } : { installCRDs: true }),
    global: { leaderElection: { namespace } },
    replicaCount: replicas.controller,
    ...budget,
    webhook: { replicaCount: replicas.webhook, ...budget },
    cainjector: { replicaCount: replicas.cainjector, ...budget },
  };
}
