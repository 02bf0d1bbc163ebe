import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { webhookCertificates, WebhookIssuance } from "../certManager/webhookCertificates";
import { ClusterAccess } from "../cluster/client";
import { helmRelease } from "../cluster/helmRelease";
import { helmValueProblems, HelmValues, mergeValues } from "../cluster/helmValues";
import { InjectionGate } from "../injection/injectionGate";
import { InjectionApi } from "../injection/injectionProbe";
import { linkerdPodSecurity, VIZ_NAMESPACE } from "../controlPlane/linkerdNamespace";
import { MeshGuard } from "../injection/meshGuard";
import { chartReference, ChartSource, DEFAULT_CHART_SOURCE } from "../controlPlane/version";
import { PortAuthorizationArgs } from "../mesh/portAuthorization";
import { sha256 } from "../pki/certificate";
import { throwInputProblems } from "../validation/inputProblems";
import { check, within } from "../validation/problem";
import { HTTP_URL } from "../validation/rule";
import { VIZ_RULES } from "./vizChartRules";
import { VIZ_WEBHOOKS, VizWebhook, vizValues } from "./vizValues";

/** Rule of {@link LinkerdVizArgs.prometheusUrl}. */
export const PROMETHEUS_URL = { ...HTTP_URL, example: "http://prometheus.monitoring:9090" };

/** Lets viz's Prometheus read the metrics of proxies whose default inbound policy would not, at their admin port. */
export const SCRAPES = {
  // By its number: the policy controller knows the names of ports of containers only, not of native sidecars.
  port: 4191,
  clients: { serviceAccounts: [`${VIZ_NAMESPACE}/prometheus`] },
} as const satisfies Pick<PortAuthorizationArgs, "port" | "clients">;

/** Arguments of {@link LinkerdViz}. */
export interface LinkerdVizArgs extends WebhookIssuance {
  /** Where the chart comes from. Default: the default release from Linkerd's repository. */
  readonly charts?: ChartSource;
  /** Trust domain. */
  readonly trustDomain: string;
  /** PEMs of all trust anchors; a change rolls viz's pods. */
  readonly trustBundlePem: pulumi.Input<string>;
  /** Linkerd's namespace. */
  readonly linkerdNamespace: pulumi.Input<string>;
  /**
   * Go regular expression of the hosts that the dashboard answers to, e.g. `.*`. Default: localhost and its own
   * Service (https://linkerd.io/2/tasks/exposing-dashboard/).
   */
  readonly enforcedHostRegexp?: string;
  /** URL (http or https) of a Prometheus that exists already. Default: the chart's own. */
  readonly prometheusUrl?: string;
  /** Replicas, budgets and resources as in the chart's values-ha.yaml; wants three nodes. Default false. */
  readonly highAvailability?: boolean;
  /** Where the images are, without scheme and tag; not of the chart's Prometheus. Default: Linkerd's own. */
  readonly imageRegistry?: string;
  /** Names of Secrets in viz's namespace with which its images are pulled. */
  readonly imagePullSecrets?: readonly string[];
  /**
   * Further values of the chart, e.g. `{ dashboard: { replicas: 2 } }`. They win over those of `highAvailability` and
   * `imageRegistry`; values that another argument sets, and certificates, are refused.
   */
  readonly values?: HelmValues;
  /** Whether the cluster has Linkerd's CNI plugin, so that no pod here needs privileges. Default false. */
  readonly cniEnabled?: boolean;
  /** Opens when pods are injected; asked before each roll-out of viz, whose pods are meshed. */
  readonly gate: InjectionGate;
  /** Refuses pods without a proxy. Default: none, for a mesh that others have installed. */
  readonly guard?: MeshGuard;
  /** How long {@link LinkerdViz.gate} waits, in seconds. Default 300. */
  readonly gateDeadlineSeconds?: number;
  /** The cluster that it asks, the same as the Kubernetes provider's. Default: the ambient kubeconfig. */
  readonly cluster?: ClusterAccess;
  /** Who asks the cluster. Default: a client for `cluster`. */
  readonly api?: InjectionApi;
}

/**
 * Linkerd's extension viz (dashboard, metrics, tap): the Helm release `linkerd-viz` in a namespace of the same name,
 * with its certificates. Its injector switches tap on when a pod is created, so let workloads depend on its `gate`
 * instead of the control plane's, and none has to be restarted for tap.
 */
export class LinkerdViz extends pulumi.ComponentResource {
  /** Opens when pods get a proxy and tap. */
  public readonly gate: InjectionGate;
  /** Name of the namespace: `linkerd-viz`. */
  public readonly namespace: pulumi.Output<string>;
  /** Version of the chart that is installed. */
  public readonly chartVersion: pulumi.Output<string>;
  /** The serving certificates, by Service; undefined where cert-manager issues them. */
  public readonly certPems?: Readonly<Record<VizWebhook, pulumi.Output<string>>>;

  public constructor(name: string, args: LinkerdVizArgs, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:LinkerdViz", name, {}, opts);

    const { charts = {}, prometheusUrl, cniEnabled, gate, guard } = args;
    throwInputProblems(`LinkerdViz ${name}`, [
      ...check("prometheusUrl", prometheusUrl, PROMETHEUS_URL),
      ...within(
        "values",
        helmValueProblems(VIZ_RULES, charts.source ?? DEFAULT_CHART_SOURCE, args.values ?? {}),
      ),
    ]);

    const namespace = new k8s.core.v1.Namespace(
      `${name}-namespace`,
      {
        metadata: {
          name: VIZ_NAMESPACE,
          labels: { "linkerd.io/extension": "viz", ...linkerdPodSecurity(cniEnabled) },
          // `linkerd viz check` then looks for no Prometheus here.
          annotations:
            prometheusUrl === undefined ? {} : { "viz.linkerd.io/external-prometheus": prometheusUrl },
        },
      },
      { parent: this },
    );
    const certificates = webhookCertificates(
      `${name}-webhooks`,
      { ...args, namespace: namespace.metadata.name, services: VIZ_WEBHOOKS, prefix: `${name}-` },
      { parent: this },
    );

    const chart = chartReference(charts, "linkerd-viz");
    const values = pulumi
      .all([args.linkerdNamespace, args.trustBundlePem, certificates.trust])
      .apply(([linkerdNamespace, trustBundlePem, webhookTrust]) =>
        mergeValues(
          vizValues({
            linkerdNamespace,
            trustDomain: args.trustDomain,
            trustBundlePem,
            webhookTrust,
            enforcedHostRegexp: args.enforcedHostRegexp,
            prometheusUrl,
            highAvailability: args.highAvailability,
            imageRegistry: args.imageRegistry,
            imagePullSecrets: args.imagePullSecrets,
          }),
          args.values,
        ),
      );
    const release = helmRelease(
      `${name}-release`,
      {
        ...chart,
        name: "linkerd-viz",
        // The namespace's output, so it goes only when the release is uninstalled: the release has the APIService of
        // tap, and one whose server is gone hangs the deletion of every namespace.
        namespace: namespace.metadata.name,
        values,
      },
      args.cluster ?? {},
      {
        parent: this,
        // Its pods are meshed, and mount the Secrets under fixed names. The guard outlives them.
        dependsOn: [gate, ...certificates.makers, ...(guard === undefined ? [] : [guard])],
        hooks: { beforeCreate: [gate.hook], beforeUpdate: [gate.hook] },
      },
    );

    this.namespace = namespace.metadata.name;
    this.chartVersion = release.status.version;
    this.certPems = certificates.certPems;
    this.gate = new InjectionGate(
      `${name}-gate`,
      {
        controlPlane: {
          linkerd: gate.opened,
          viz: pulumi.jsonStringify({ chart, values, version: this.chartVersion }).apply(sha256),
        },
        tap: true,
        deadlineSeconds: args.gateDeadlineSeconds,
        cluster: args.cluster,
        api: args.api,
      },
      // Asked only when the release is there.
      { parent: this, dependsOn: release },
    );
    this.registerOutputs({
      namespace: this.namespace,
      chartVersion: this.chartVersion,
      certPems: this.certPems,
    });
  }
}
