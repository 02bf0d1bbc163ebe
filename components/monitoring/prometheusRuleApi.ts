import * as pulumi from "@pulumi/pulumi";

import { ClusterAccess, connect, describeError } from "../cluster/client";

/** Group and version of the Prometheus operator's kinds. */
export const MONITORING_API = { group: "monitoring.coreos.com", version: "v1" } as const;

/** A preview does not wait longer. */
const TIMEOUT_MS = 5000;

/**
 * Looks for the kind PrometheusRule, in a preview too: nothing else would tell before the first resource is created. A
 * cluster that does not answer is not this function's to report.
 *
 * @throws RunError with the commands that install the kind, or do without it.
 */
export async function checkPrometheusRules(cluster: ClusterAccess): Promise<void> {
  if (await isAbsent(cluster)) {
    throw new pulumi.RunError(
      [
        "linkerd-mtls:monitoring.enabled must be false on a cluster without the Prometheus operator, but is true: there " +
          `is no custom resource definition prometheusrules.${MONITORING_API.group} (${MONITORING_API.version})`,
        "    kubectl apply --server-side -f https://raw.githubusercontent.com/prometheus-operator/prometheus-operator/v0.85.0/example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml    # or install the operator, which reads the rules",
        "    pulumi config set --path linkerd-mtls:monitoring.enabled false",
      ].join("\n"),
    );
  }
}

async function isAbsent(cluster: ClusterAccess): Promise<boolean> {
  try {
    const api = await connect(cluster, (k8s) => k8s.CustomObjectsApi, TIMEOUT_MS);
    const { resources } = await api.getAPIResources(MONITORING_API);
    return !resources.some(({ name }) => name === "prometheusrules");
  } catch (error) {
    return describeError(error).status === 404;
  }
}
