import * as pulumi from "@pulumi/pulumi";

import { ManagerArgs } from "../certManager/managerArgs";
import { managerRelease } from "../certManager/managerRelease";
import { DEFAULT_TRUST_MANAGER_VERSION } from "../certManager/version";
import { TRUST_MANAGER_RULES } from "./chartRules";

/** Default of {@link TrustManagerArgs.namespace}. */
export const TRUST_MANAGER_NAMESPACE = "trust-manager";

/** Arguments of {@link TrustManager}. */
export interface TrustManagerArgs extends ManagerArgs {
  /** Namespace to install it in. Default `trust-manager`. */
  readonly namespace?: string;
  /** Whether something else has made or makes the namespace, e.g. for cert-manager; then it is patched. Default false. */
  readonly existingNamespace?: boolean;
  /** Release, `v<major>.<minor>.<patch>`; for a directory, the one that it holds. Default `v0.25.0`. */
  readonly version?: string;
  /** Two replicas with a disruption budget. Default false. */
  readonly highAvailability?: boolean;
}

/** The values that this program sets in the chart trust-manager. */
export interface TrustManagerValues {
  /** Installs the custom resource definitions. Deleting the release deletes them, and every Bundle in the cluster. */
  readonly crds: { readonly enabled: true; readonly keep: false };
  /** Public CA certificates, which no Bundle of this program uses. */
  readonly defaultPackage: { readonly enabled: false };
  /** The namespace whose Secrets and ConfigMaps Bundles may read. */
  readonly app: { readonly trust: { readonly namespace: string } };
  readonly replicaCount: number;
  readonly podDisruptionBudget?: { readonly enabled: true };
}

/**
 * trust-manager, the Helm release `trust-manager` with its custom resource definitions, in a namespace of its own or in
 * cert-manager's. Its webhook's certificate comes from cert-manager, which must be there before.
 */
export class TrustManager extends pulumi.ComponentResource {
  /** Version of the chart that is installed. */
  public readonly chartVersion: pulumi.Output<string>;

  public constructor(name: string, args: TrustManagerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:TrustManager", name, {}, opts);

    const { version = DEFAULT_TRUST_MANAGER_VERSION, highAvailability = false } = args;
    const { namespace = TRUST_MANAGER_NAMESPACE, existingNamespace, chartSource, cluster, values } = args;
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
        existingNamespace,
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
