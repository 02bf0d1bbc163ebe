import * as pulumi from "@pulumi/pulumi";

import { ClusterAccess } from "../cluster/client";
import { helmRelease } from "../cluster/helmRelease";
import { ownNamespace } from "../cluster/ownership";
import { helmValueProblems, HelmValues, mergeValues } from "../cluster/helmValues";
import { InjectionGate } from "../injection/injectionGate";
import { InjectionApi } from "../injection/injectionProbe";
import { linkerdPodSecurity, VIZ_NAMESPACE } from "../controlPlane/linkerdNamespace";
import { chartReference, ChartSource, DEFAULT_CHART_SOURCE } from "../controlPlane/version";
import { PortAuthorizationArgs } from "../mesh/portAuthorization";
import { throwInputProblems } from "../validation/inputProblems";
import { check, within } from "../validation/problem";
import { HTTP_URL } from "../validation/rule";
import { VIZ_RULES } from "./vizChartRules";
import { Mesh } from "../injection/mesh";
import { GUARDED_LABEL } from "../injection/meshGuard";
import { sha256 } from "../certificates/pem";
import { WebhookCertificates, WebhookIssuance } from "../pki/webhookCertificates";
import { VIZ_WEBHOOKS, VizWebhook, vizValues } from "./vizValues";

/** Rule of {@link LinkerdVizArgs.prometheusUrl}. */
export const PROMETHEUS_URL = { ...HTTP_URL, example: "http://prometheus.monitoring:9090" };

/** Lets viz's Prometheus read the metrics of proxies whose default inbound policy would not, at their admin port. */
export const SCRAPES = {
  // By its number: the policy controller knows the names of ports of containers only, not of native sidecars.
  port: 4191,
  clients: { serviceAccounts: [`${VIZ_NAMESPACE}/prometheus`] },
} as const satisfies Pick<PortAuthorizationArgs, "port" | "clients">;

/** Choices for viz. */
export interface VizSettings {
  /**
   * Go regular expression of the hosts that the dashboard answers to, e.g. `.*`. Default: localhost and its own
   * Service (https://linkerd.io/2/tasks/exposing-dashboard/).
   */
  readonly enforcedHostRegexp?: string;
  /** URL (http or https) of an existing Prometheus. Default: the chart's own. */
  readonly prometheusUrl?: string;
  /** Replicas, budgets and resources as in the chart's values-ha.yaml; needs three nodes. Default false. */
  readonly highAvailability?: boolean;
}

/** Arguments of {@link LinkerdViz}. */
export interface LinkerdVizArgs extends WebhookIssuance, VizSettings {
  /** Where the chart comes from. Default: the default release from Linkerd's repository. */
  readonly charts?: ChartSource;
  /** Trust domain. */
  readonly trustDomain: string;
  /** The mesh, whose gate is asked before each roll-out of viz, because its pods are meshed. */
  readonly mesh: Mesh & Required<Pick<Mesh, "gate">>;
  /** Linkerd's namespace. */
  readonly linkerdNamespace: pulumi.Input<string>;
  /** Where the images are, without scheme and tag; not of the chart's Prometheus. Default: Linkerd's own. */
  readonly imageRegistry?: string;
  /** Names of Secrets in viz's namespace with which its images are pulled. */
  readonly imagePullSecrets?: readonly string[];
  /**
   * Further values of the chart, e.g. `{ dashboard: { replicas: 2 } }`. They win over those of `highAvailability` and
   * `imageRegistry`; values that another argument sets, and certificates, are refused.
   */
  readonly values?: HelmValues;
  /** cert-manager, where it is installed in the same deployment and issues viz's certificates. */
  readonly certManager?: pulumi.Resource;
  /** How long {@link LinkerdViz.gate} waits, in seconds. Default 300. */
  readonly gateDeadlineSeconds?: number;
  /** Existing namespace in which it tries a pod. Default `default`. */
  readonly gateNamespace?: string;
  /** The cluster that it asks, the same as the Kubernetes provider's. */
  readonly cluster: ClusterAccess;
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
  /** Their CAs by generation; undefined where cert-manager renews the CA. */
  public readonly caPems?: Readonly<Record<string, pulumi.Output<string>>>;
  /** Rejects where a change of CAs is refused; see {@link WebhookCertificates.changeChecked}. */
  public readonly changeChecked: Promise<void>;

  public constructor(name: string, args: LinkerdVizArgs, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:LinkerdViz", name, {}, opts);

    const { charts = {}, prometheusUrl, mesh } = args;
    const { gate, guard } = mesh;
    throwInputProblems(`LinkerdViz ${name}`, [
      ...check("prometheusUrl", prometheusUrl, PROMETHEUS_URL),
      ...within(
        "values",
        helmValueProblems(VIZ_RULES, charts.source ?? DEFAULT_CHART_SOURCE, args.values ?? {}),
      ),
    ]);

    const namespace = ownNamespace(
      `${name}-namespace`,
      {
        name: VIZ_NAMESPACE,
        labels: {
          "linkerd.io/extension": "viz",
          ...linkerdPodSecurity(mesh.cniEnabled),
          ...(guard && { [GUARDED_LABEL]: "true" }),
        },
        // `linkerd viz check` then looks for no Prometheus here.
        annotations:
          prometheusUrl === undefined ? {} : { "viz.linkerd.io/external-prometheus": prometheusUrl },
      },
      args.cluster,
      { parent: this },
    );
    const { webhookCertificates, webhookRotation, deployedWebhooks, acceptOutage } = args;
    const certificates = new WebhookCertificates(
      `${name}-webhooks`,
      {
        namespace: namespace.metadata.name,
        services: VIZ_WEBHOOKS,
        webhookCertificates,
        webhookRotation,
        deployedWebhooks,
        acceptOutage,
        handover: true,
        cluster: args.cluster,
      },
      // `certManager` issues them.
      { parent: this, dependsOn: args.certManager },
    );

    const chart = chartReference(charts, "linkerd-viz");
    const values = pulumi
      .all([args.linkerdNamespace, mesh.trustBundlePem, certificates.trust])
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
      args.cluster,
      {
        parent: this,
        // Its pods are meshed, and mount the Secrets under fixed names. The guard outlives them.
        dependsOn: [gate, certificates, ...(guard === undefined ? [] : [guard])],
        hooks: [gate.hook],
      },
    );

    this.namespace = namespace.metadata.name;
    this.chartVersion = release.status.version;
    this.certPems = certificates.certPems;
    this.caPems = certificates.caPems;
    this.changeChecked = certificates.changeChecked;
    this.gate = new InjectionGate(
      `${name}-gate`,
      {
        controlPlane: {
          linkerd: gate.opened,
          viz: pulumi.jsonStringify({ chart, values, version: this.chartVersion }).apply(sha256),
        },
        tap: true,
        trustBundlePem: mesh.trustBundlePem,
        deadlineSeconds: args.gateDeadlineSeconds,
        namespace: args.gateNamespace,
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
      caPems: this.caPems,
    });
  }
}
