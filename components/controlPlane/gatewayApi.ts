import { readFile } from "node:fs/promises";
import { join } from "node:path";

import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";

import { isChartDirectory } from "../cluster/helmChart";
import { ClusterAccess, connect } from "../cluster/client";
import { HelmValues } from "../cluster/helmValues";
import { ChartSource, chartVersion, DEFAULT_CHART_SOURCE, DEFAULT_LINKERD_VERSION } from "./version";

/** API group of the Gateway API. */
const GROUP = "gateway.networking.k8s.io";

/** The first charts that leave the Gateway API's custom resource definitions to the cluster's owner. */
const LEFT_TO_OWNER_SINCE = [2025, 10, 1];

/** Values of the chart linkerd-crds that install parts of it. */
const INSTALLS = /^(installGatewayAPI|enable\w+Routes)$/;

/** A preview does not wait longer for a hint. */
const TIMEOUT_MS = 5000;

/**
 * Warns, in a preview, where the cluster has no Gateway API and the charts do not bring it: the control plane comes up,
 * and `linkerd check` and HTTP routes do not work. A cluster that does not answer is not this function's to report.
 */
export async function warnWithoutGatewayApi(
  charts: ChartSource,
  cluster: ClusterAccess,
  crdsValues: HelmValues = {},
): Promise<void> {
  const installed = Object.entries(crdsValues).some(([name, value]) => INSTALLS.test(name) && value === true);
  if (!pulumi.runtime.isDryRun() || installed || !(await isLeftToOwner(charts))) {
    return;
  }
  const groups = await apiGroups(cluster);
  if (groups !== undefined && !groups.includes(GROUP)) {
    await pulumi.log.warn(
      `the cluster has no Gateway API (custom resource definitions of ${GROUP}), which Linkerd's charts have not ` +
        "installed since edge-25.10.1: `linkerd check` fails without it\n" +
        "    kubectl apply -f https://github.com/kubernetes-sigs/gateway-api/releases/download/v1.2.1/standard-install.yaml",
    );
  }
}

async function isLeftToOwner(charts: ChartSource): Promise<boolean> {
  const { source = DEFAULT_CHART_SOURCE, version = DEFAULT_LINKERD_VERSION } = charts;
  const installed = isChartDirectory(source) ? await versionIn(source) : chartVersion(version);
  const numbers = installed.split(/[.-]/).map(Number);
  for (const [index, least] of LEFT_TO_OWNER_SINCE.entries()) {
    const number = numbers[index] ?? 0;
    if (number !== least) {
      return number > least;
    }
  }
  return true;
}

async function versionIn(directory: string): Promise<string> {
  const chart = parse(await readFile(join(directory, "linkerd-crds", "Chart.yaml"), "utf8")) as {
    version: string;
  };
  return chart.version;
}

async function apiGroups(cluster: ClusterAccess): Promise<string[] | undefined> {
  try {
    const api = await connect(cluster, (k8s) => k8s.ApisApi, TIMEOUT_MS);
    return (await api.getAPIVersions()).groups.map(({ name }) => name);
  } catch {
    return undefined;
  }
}
