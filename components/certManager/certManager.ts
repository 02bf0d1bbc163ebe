import * as pulumi from "@pulumi/pulumi";

import { CERT_MANAGER_RULES } from "./chartRules";
import { ManagerArgs } from "./managerArgs";
import { managerRelease } from "./managerRelease";
import { certManagerValues } from "./values";
import { DEFAULT_CERT_MANAGER_VERSION } from "./version";

/** Default of {@link CertManagerArgs.namespace}. */
export const CERT_MANAGER_NAMESPACE = "cert-manager";

/** Arguments of {@link CertManager}. */
export interface CertManagerArgs extends ManagerArgs {
  /** Namespace to create and to install it in. Default `cert-manager`. */
  readonly namespace?: string;
  /** Release, `v<major>.<minor>.<patch>`; for a directory, the one that it holds. Default `v1.20.2`. */
  readonly version?: string;
  /** Several replicas of each program, with disruption budgets where the release has them. Default false. */
  readonly highAvailability?: boolean;
}

/**
 * cert-manager, the Helm release `cert-manager` with its custom resource definitions, in a namespace of its own. The
 * definitions go with the component, and with them the Certificates and Issuers of the whole cluster.
 */
export class CertManager extends pulumi.ComponentResource {
  /** Name of the namespace. */
  public readonly namespace: pulumi.Output<string>;
  /** Version of the chart that is installed. */
  public readonly chartVersion: pulumi.Output<string>;

  public constructor(name: string, args: CertManagerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:CertManager", name, {}, opts);

    const { version = DEFAULT_CERT_MANAGER_VERSION, highAvailability = false } = args;
    const { namespace = CERT_MANAGER_NAMESPACE, chartSource, cluster, values } = args;
    const ownValues = certManagerValues({ version, namespace, highAvailability });
    const release = managerRelease(
      name,
      {
        component: "CertManager",
        rules: CERT_MANAGER_RULES,
        version,
        namespace,
        ownValues,
        values,
        chartSource,
        cluster,
      },
      this,
    );

    this.namespace = release.namespace;
    this.chartVersion = release.chartVersion;
    this.registerOutputs({ namespace: this.namespace, chartVersion: this.chartVersion });
  }
}
