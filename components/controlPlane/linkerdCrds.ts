import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { chartReference, ChartSource } from "./version";

/** Arguments of {@link LinkerdCrds}. */
export interface LinkerdCrdsArgs {
  /** Linkerd's namespace. */
  readonly namespace: pulumi.Input<string>;
  /** Where the chart comes from. Default: the default release from Linkerd's repository. */
  readonly charts?: ChartSource;
}

/** How long Helm may wait for a release, in seconds; slow image pulls are the reason. */
export const RELEASE_TIMEOUT_SECONDS = 600;

/** Linkerd's custom resource definitions, the Helm release `linkerd-crds`. */
export class LinkerdCrds extends pulumi.ComponentResource {
  /** Version of the chart that is installed. */
  public readonly chartVersion: pulumi.Output<string>;

  public constructor(name: string, args: LinkerdCrdsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:LinkerdCrds", name, {}, opts);

    const release = new k8s.helm.v3.Release(
      `${name}-release`,
      {
        ...chartReference(args.charts ?? {}, "linkerd-crds"),
        name: "linkerd-crds",
        namespace: args.namespace,
        createNamespace: false,
        timeout: RELEASE_TIMEOUT_SECONDS,
      },
      { parent: this },
    );

    this.chartVersion = release.status.version;
    this.registerOutputs({ chartVersion: this.chartVersion });
  }
}
