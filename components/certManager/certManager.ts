import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { ClusterAccess } from "../controlPlane/clusterClient";
import { helmRelease } from "../controlPlane/helmRelease";
import { helmChart } from "../helmChart";
import { certManagerValues } from "./values";
import { DEFAULT_CERT_MANAGER_CHART_SOURCE, DEFAULT_CERT_MANAGER_VERSION } from "./version";

/** Default of {@link CertManagerArgs.namespace}. */
export const CERT_MANAGER_NAMESPACE = "cert-manager";

/** Arguments of {@link CertManager}. */
export interface CertManagerArgs {
  /** Namespace to make and install it in. Default `cert-manager`. */
  readonly namespace?: string;
  /** Helm repository, OCI registry, or directory of a directory per chart. Default `https://charts.jetstack.io`. */
  readonly chartSource?: string;
  /** Release, `v<major>.<minor>.<patch>`; for a directory, the one that it holds. Default `v1.20.2`. */
  readonly version?: string;
  /** Several replicas of each program, with disruption budgets where the release has them. Default false. */
  readonly highAvailability?: boolean;
  /** The cluster, the same as the Kubernetes provider's. Default: the ambient kubeconfig. */
  readonly cluster?: ClusterAccess;
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

  public constructor(name: string, args: CertManagerArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:CertManager", name, {}, opts);

    const { version = DEFAULT_CERT_MANAGER_VERSION, highAvailability = false } = args;
    const { namespace = CERT_MANAGER_NAMESPACE } = args;
    const created = new k8s.core.v1.Namespace(
      `${name}-namespace`,
      {
        metadata: {
          name: namespace,
          // Linkerd's injector waits for its certificate, so nothing that issues it may wait for the injector.
          labels: { "config.linkerd.io/admission-webhooks": "disabled" },
        },
      },
      { parent: this },
    );
    const release = helmRelease(
      `${name}-release`,
      {
        ...helmChart(args.chartSource ?? DEFAULT_CERT_MANAGER_CHART_SOURCE, "cert-manager", version),
        name: "cert-manager",
        namespace: created.metadata.name,
        values: certManagerValues({ version, namespace, highAvailability }),
      },
      args.cluster ?? {},
      { parent: this },
    );

    this.namespace = created.metadata.name;
    this.chartVersion = release.status.version;
    this.registerOutputs({ namespace: this.namespace, chartVersion: this.chartVersion });
  }
}
