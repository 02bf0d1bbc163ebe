import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { helmRelease } from "../cluster/helmRelease";
import { ownNamespace } from "../cluster/ownership";
import { releaseAnnotation, stackName } from "../cluster/stackMark";
import { helmChart } from "../cluster/helmChart";
import { ChartRules, checkHelmValues, mergeValues } from "../cluster/helmValues";
import { isKubernetesNamespace, otherNamespace } from "../cluster/namespaceNames";
import { throwInputProblems } from "../validation/inputProblems";
import { ManagerArgs } from "./managerArgs";
import { DEFAULT_CERT_MANAGER_CHART_SOURCE } from "./version";

/** Arguments of {@link managerRelease}. */
export interface ManagerReleaseArgs extends ManagerArgs {
  /** Type of the parent, for its errors. */
  readonly component: "CertManager" | "TrustManager";
  /** The chart, after which the release is named. */
  readonly rules: ChartRules;
  readonly version: string;
  readonly namespace: string;
  /** Whether something else makes the namespace. Default false. */
  readonly existingNamespace?: boolean;
  /** The component's own values. */
  readonly ownValues: object;
}

/** The namespace, and the release in it. */
interface ManagerRelease {
  readonly namespace: pulumi.Output<string>;
  readonly chartVersion: pulumi.Output<string>;
}

/** The Helm release of cert-manager or of trust-manager, and its namespace where nothing else makes it. */
export function managerRelease(
  name: string,
  args: ManagerReleaseArgs,
  parent: pulumi.Resource,
): ManagerRelease {
  const { rules, version, cluster, chartSource = DEFAULT_CERT_MANAGER_CHART_SOURCE } = args;
  const { chart } = rules;
  if (isKubernetesNamespace(args.namespace)) {
    throwInputProblems(`${args.component} ${name}`, [
      otherNamespace("namespace", args.namespace, "Kubernetes makes it"),
    ]);
  }
  checkHelmValues(`${args.component} ${name}`, rules, chartSource, args.values);
  const wanted = {
    name: args.namespace,
    // Linkerd waits for what they issue, so their pods must not wait for Linkerd's injector.
    labels: { "config.linkerd.io/admission-webhooks": "disabled" },
  };
  const { metadata } =
    args.existingNamespace === true
      ? new k8s.core.v1.NamespacePatch(
          `${name}-namespace`,
          // The next deployment knows by it that the release is this stack's.
          {
            metadata: { ...wanted, annotations: { [releaseAnnotation(chart)]: cluster.mark ?? stackName() } },
          },
          // Two resources have made one namespace; the one that goes must not delete it.
          { parent, aliases: [{ type: "kubernetes:core/v1:Namespace" }] },
        )
      : ownNamespace(`${name}-namespace`, wanted, cluster, { parent });
  const reference = helmChart(chartSource, chart, version);
  const release = helmRelease(
    `${name}-release`,
    { ...reference, name: chart, namespace: metadata.name, values: mergeValues(args.ownValues, args.values) },
    cluster,
    { parent },
  );
  return { namespace: metadata.name, chartVersion: release.status.version };
}
