import * as pulumi from "@pulumi/pulumi";

import { ClusterAccess } from "../cluster/client";
import { HelmValues } from "../cluster/helmValues";
import { managerRelease } from "../certManager/managerRelease";
import { DEFAULT_TRUST_MANAGER_VERSION } from "../certManager/version";
import { TRUST_MANAGER_RULES } from "./chartRules";

/** Default of {@link TrustManagerArgs.namespace}. */
export const TRUST_MANAGER_NAMESPACE = "trust-manager";

/** Arguments of {@link TrustManager}. */
export interface TrustManagerArgs {
  /** Namespace to make and install it in. Default `trust-manager`. */
  readonly namespace?: string;
  /** Helm repository, OCI registry, or directory of a directory per chart. Default `https://charts.jetstack.io`. */
  readonly chartSource?: string;
  /** Release, `v<major>.<minor>.<patch>`; for a directory, the one that it holds. Default `v0.25.0`. */
  readonly version?: string;
  /** Two replicas with a disruption budget. Default false. */
  readonly highAvailability?: boolean;
  /**
   * Further values of the chart, e.g. `{ defaultPackage: { enabled: true } }`. They win over those of
   * `highAvailability`; values that another argument sets, and those of the custom resource definitions, are refused.
   */
  readonly values?: HelmValues;
  /** The cluster, the same as the Kubernetes provider's. Default: the ambient kubeconfig. */
  readonly cluster?: ClusterAccess;
}

/** The values that this program gives to the chart trust-manager, and no others. */
export interface TrustManagerValues {
  /** Custom resource definitions; they go with the release, and all Bundles of the cluster with them. */
  readonly crds: { readonly enabled: true; readonly keep: false };
  /** Public certificates, which no Bundle here asks for. */
  readonly defaultPackage: { readonly enabled: false };
  /** Where Bundles may read Secrets. */
  readonly app: { readonly trust: { readonly namespace: string } };
  readonly replicaCount: number;
  readonly podDisruptionBudget?: { readonly enabled: true };
}

/**
 * trust-manager, the Helm release `trust-manager` with its custom resource definitions, in a namespace of its own. Its
 * webhook's certificate comes from cert-manager, which must be there before.
 */
export class TrustManager extends pulumi.ComponentResource {
  /** Version of the chart that is installed. */
  public readonly chartVersion: pulumi.Output<string>;

  public constructor(name: string, args: TrustManagerArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:TrustManager", name, {}, opts);

    const { version = DEFAULT_TRUST_MANAGER_VERSION, highAvailability = false } = args;
    const { namespace = TRUST_MANAGER_NAMESPACE, chartSource, cluster, values } = args;
    const ownValues: TrustManagerValues = {
      crds: { enabled: true, keep: false },
      defaultPackage: { enabled: false },
      app: { trust: { namespace } },
      replicaCount: highAvailability ? 2 : 1,
      ...(highAvailability && { podDisruptionBudget: { enabled: true } }),
    };
    const release = managerRelease(
      name,
      {
        component: "TrustManager",
        rules: TRUST_MANAGER_RULES,
        version,
        namespace,
        ownValues,
        values,
        chartSource,
        cluster,
      },
      this,
    );

    this.chartVersion = release.chartVersion;
    this.registerOutputs({ chartVersion: this.chartVersion });
  }
}
