import { hasCrdValues } from "./version";

/** The values that this program gives to the chart cert-manager, and no others. */
export interface CertManagerValues {
  /** Custom resource definitions, in releases before 1.15. */
  readonly installCRDs?: true;
  /** Custom resource definitions, since 1.15; they go with the release. */
  readonly crds?: { readonly enabled: true; readonly keep: false };
  readonly global: {
    /** Where the leader is elected; the default is kube-system, where its leases would stay. */
    readonly leaderElection: { readonly namespace: string };
  };
  /** Replicas of the controller. */
  readonly replicaCount: number;
  /** Since 1.15. */
  readonly podDisruptionBudget?: { readonly enabled: true };
  readonly webhook: Replicas;
  readonly cainjector: Replicas;
}

interface Replicas {
  readonly replicaCount: number;
  readonly podDisruptionBudget?: { readonly enabled: true };
}

/** For high availability, as https://cert-manager.io/docs/installation/best-practice/ has it. */
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
