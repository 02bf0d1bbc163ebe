import * as pulumi from "@pulumi/pulumi";

import { ClusterAccess } from "../cluster/client";
import { helmRelease } from "../cluster/helmRelease";
import { checkHelmValues, HelmValues } from "../cluster/helmValues";
import { CRDS_RULES } from "./chartRules";
import { chartReference, ChartSource, DEFAULT_CHART_SOURCE } from "./version";

/** Arguments of {@link LinkerdCrds}. */
export interface LinkerdCrdsArgs {
  /** Linkerd's namespace. */
  readonly namespace: pulumi.Input<string>;
  /** Where the chart comes from. Default: the default release from Linkerd's repository. */
  readonly charts?: ChartSource;
  /** Values of the chart. Default: those of its values.yaml. */
  readonly values?: HelmValues;
  /** The cluster, the same as the Kubernetes provider's. */
  readonly cluster: ClusterAccess;
}

/** Linkerd's custom resource definitions, the Helm release `linkerd-crds`. */
export class LinkerdCrds extends pulumi.ComponentResource {
  /** Version of the chart that is installed. */
  public readonly chartVersion: pulumi.Output<string>;

  public constructor(name: string, args: LinkerdCrdsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:LinkerdCrds", name, {}, opts);

    const { charts = {}, values } = args;
    checkHelmValues(`LinkerdCrds ${name}`, CRDS_RULES, charts.source ?? DEFAULT_CHART_SOURCE, values);
    const chart = chartReference(charts, "linkerd-crds");
    const release = helmRelease(
      `${name}-release`,
      // Definitions are served within milliseconds and Helm looks every two seconds; the control plane's pods, which are
      // awaited, become ready only when they can read them.
      { ...chart, name: "linkerd-crds", namespace: args.namespace, values, skipAwait: true },
      args.cluster,
      { parent: this },
    );

    this.chartVersion = release.status.version;
    this.registerOutputs({ chartVersion: this.chartVersion });
  }
}
