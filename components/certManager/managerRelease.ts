import * as pulumi from "@pulumi/pulumi";

import { ClusterAccess } from "../cluster/client";
import { helmRelease } from "../cluster/helmRelease";
import { ownNamespace } from "../cluster/ownership";
import { helmChart } from "../cluster/helmChart";
import { ChartRules, checkHelmValues, HelmValues, mergeValues } from "../cluster/helmValues";
import { DEFAULT_CERT_MANAGER_CHART_SOURCE } from "./version";

/** Arguments of {@link managerRelease}. */
export interface ManagerReleaseArgs {
  /** Type of the parent, for its errors. */
  readonly component: "CertManager" | "TrustManager";
  /** The chart, after which the release is named. */
  readonly rules: ChartRules;
  readonly version: string;
  readonly namespace: string;
  /** The component's own values. */
  readonly ownValues: object;
  /** Values that are merged over them. */
  readonly values?: HelmValues;
  /** Default `https://charts.jetstack.io`. */
  readonly chartSource?: string;
  readonly cluster: ClusterAccess;
}

/** The namespace, and the release in it. */
interface ManagerRelease {
  readonly namespace: pulumi.Output<string>;
  readonly chartVersion: pulumi.Output<string>;
}

/** The Helm release of cert-manager or of trust-manager, in a namespace of its own. */
export function managerRelease(
  name: string,
  args: ManagerReleaseArgs,
  parent: pulumi.Resource,
): ManagerRelease {
  const { rules, version, cluster, chartSource = DEFAULT_CERT_MANAGER_CHART_SOURCE } = args;
  const { chart } = rules;
  checkHelmValues(`${args.component} ${name}`, rules, chartSource, args.values);
  const { metadata } = ownNamespace(
    `${name}-namespace`,
    {
      name: args.namespace,
      // Linkerd waits for what they issue, so their pods must not wait for Linkerd's injector.
      labels: { "config.linkerd.io/admission-webhooks": "disabled" },
    },
    cluster,
    { parent },
  );
  const reference = helmChart(chartSource, chart, version);
  const release = helmRelease(
    `${name}-release`,
    { ...reference, name: chart, namespace: metadata.name, values: mergeValues(args.ownValues, args.values) },
    cluster,
    { parent },
  );
  return { namespace: metadata.name, chartVersion: release.status.version };
}
