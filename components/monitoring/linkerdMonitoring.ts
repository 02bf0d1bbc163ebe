import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { ClusterAccess } from "../cluster/client";
import { marked } from "../cluster/ownership";
import { releaseOf } from "../controlPlane/release";
import { ChartSource } from "../controlPlane/version";
import { GuardMode } from "../injection/meshGuard";
import { dashboard } from "./dashboard";
import { MonitoredCertificates, monitoredMesh } from "./monitoredMesh";
import { MONITORING_API } from "./prometheusRuleApi";
import { meshRules } from "./rules";

/** Default of {@link MonitoringSettings.runbookUrl}: the page in this project. */
export const DEFAULT_RUNBOOK_URL = "docs/alerts.md";

/** Name of the rule. */
const NAME = "linkerd-mtls";

/** What Grafana's sidecar looks for: https://github.com/grafana/helm-charts, values `sidecar.dashboards`. */
const DASHBOARD_LABEL = { grafana_dashboard: "1" };

/** Choices for the monitoring of a mesh. */
export interface MonitoringSettings {
  /** Existing namespace of the objects, one that the Prometheus operator and Grafana look at. Default: Linkerd's. */
  readonly namespace?: string;
  /** Labels that the operator's `ruleSelector` wants, e.g. `{ release: "prometheus" }`. Default: none. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Where docs/alerts.md is published; alerts link to its sections. Default `docs/alerts.md`. */
  readonly runbookUrl?: string;
}

/** Arguments of {@link LinkerdMonitoring}. */
export interface LinkerdMonitoringArgs extends MonitoringSettings, MonitoredCertificates {
  /** Linkerd's namespace. */
  readonly linkerdNamespace: pulumi.Input<string>;
  /** Where Linkerd's charts come from: the metrics depend on the release. Default: the default release. */
  readonly charts?: ChartSource;
  /** Default `deny`. */
  readonly guardMode?: GuardMode;
  /** The cluster, the same as the Kubernetes provider's. */
  readonly cluster: ClusterAccess;
}

/**
 * Alerts of a mesh, as a PrometheusRule for the Prometheus operator, which must be installed, and a dashboard for Grafana, as
 * a ConfigMap. The thresholds follow from the lifetimes of the certificates. docs/alerts.md says which metrics Prometheus
 * must get, and what to do about each alert.
 */
export class LinkerdMonitoring extends pulumi.ComponentResource {
  /** Name of the PrometheusRule. */
  public readonly ruleName: pulumi.Output<string>;

  public constructor(name: string, args: LinkerdMonitoringArgs, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:LinkerdMonitoring", name, {}, opts);

    const { charts = {}, guardMode = "deny", runbookUrl = DEFAULT_RUNBOOK_URL, cluster } = args;
    const metadata = {
      name: NAME,
      namespace: args.namespace ?? args.linkerdNamespace,
      annotations: marked(cluster),
    };
    const groups = pulumi
      .all([args.certPems, args.issuerPem, releaseOf(charts)])
      .apply(([certPems, issuerPem, release]) =>
        meshRules({
          ...monitoredMesh({ ...args, certPems, issuerPem }, release),
          runbookUrl,
          guardMode,
        }),
      );
    const rule = new k8s.apiextensions.CustomResource(
      `${name}-rules`,
      {
        apiVersion: `${MONITORING_API.group}/${MONITORING_API.version}`,
        kind: "PrometheusRule",
        metadata: { ...metadata, labels: args.labels },
        spec: { groups },
      },
      { parent: this },
    );
    new k8s.core.v1.ConfigMap(
      `${name}-dashboard`,
      {
        metadata: { ...metadata, name: `${NAME}-dashboard`, labels: DASHBOARD_LABEL },
        data: { [`${NAME}.json`]: dashboard() },
      },
      { parent: this },
    );

    this.ruleName = rule.metadata.name;
    this.registerOutputs({ ruleName: this.ruleName });
  }
}
