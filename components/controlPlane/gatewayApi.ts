import * as pulumi from "@pulumi/pulumi";

import { ClusterAccess, connect, describeError } from "../cluster/client";
import { HelmValues } from "../cluster/helmValues";
import { releaseOf } from "./release";
import { ChartSource, isOlder } from "./version";

/** API group of the Gateway API. */
const GROUP = "gateway.networking.k8s.io";

/** The first charts that leave the Gateway API's custom resource definitions to the cluster's owner. */
const LEFT_TO_OWNER_SINCE = "edge-25.9.4";

/** The first release whose `linkerd check` requires one of them (linkerd2, pkg/healthcheck, `CheckGatewayAPICRDs`). */
const REQUIRED_SINCE = "edge-26.7.1";

/** One of these is enough for Linkerd. */
const ROUTES = ["httproutes", "grpcroutes"];

/** Values of the chart linkerd-crds that install parts of it. */
const INSTALLS = /^(installGatewayAPI|enable\w+Routes)$/;

/** A preview does not wait longer for a hint. */
const TIMEOUT_MS = 5000;

/**
 * Looks for the Gateway API where the charts do not bring it: without it `linkerd check` fails and HTTP routes do not work.
 * A release that requires it is refused, for an older one a preview warns. A cluster that does not answer is not this
 * function's to report.
 *
 * @throws RunError with the commands that install it.
 */
export async function checkGatewayApi(
  charts: ChartSource,
  cluster: ClusterAccess,
  crdsValues: HelmValues = {},
): Promise<void> {
  const release = await releaseOf(charts);
  const installed = Object.entries(crdsValues).some(([name, value]) => INSTALLS.test(name) && value === true);
  const required = !isOlder(release, REQUIRED_SINCE);
  if (installed || isOlder(release, LEFT_TO_OWNER_SINCE) || (!required && !pulumi.runtime.isDryRun())) {
    return;
  }
  if (await isAbsent(cluster)) {
    const problem = [
      `the cluster has no Gateway API (custom resource definitions of ${GROUP}/v1: ${ROUTES.join(" or ")}), which ` +
        `Linkerd's charts have not installed since ${LEFT_TO_OWNER_SINCE}: ` +
        (required ? `Linkerd requires it since ${REQUIRED_SINCE}` : "`linkerd check` fails without it"),
      "    kubectl apply --server-side -f https://github.com/kubernetes-sigs/gateway-api/releases/download/v1.2.1/standard-install.yaml",
    ].join("\n");
    if (required) {
      throw new pulumi.RunError(problem);
    }
    await pulumi.log.warn(problem);
  }
}

async function isAbsent(cluster: ClusterAccess): Promise<boolean> {
  try {
    const api = await connect(cluster, (k8s) => k8s.CustomObjectsApi, TIMEOUT_MS);
    const { resources } = await api.getAPIResources({ group: GROUP, version: "v1" });
    return !resources.some(({ name }) => ROUTES.includes(name));
  } catch (error) {
    return describeError(error).status === 404;
  }
}
