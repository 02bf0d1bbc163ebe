import { ClusterAccess } from "../cluster/client";
import { HelmValues } from "../cluster/helmValues";

/** What the arguments of `CertManager` and `TrustManager` have in common. */
export interface ManagerArgs {
  /** Helm repository, OCI registry, or directory of a directory per chart. Default `https://charts.jetstack.io`. */
  readonly chartSource?: string;
  /**
   * Further values of the chart. They win over those of `highAvailability`; values that another argument sets, and those of
   * the custom resource definitions, are refused.
   */
  readonly values?: HelmValues;
  /** The cluster, the same as the Kubernetes provider's. */
  readonly cluster: ClusterAccess;
}
