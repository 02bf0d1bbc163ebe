import type { CoreV1Api } from "@kubernetes/client-node";
import { parse } from "yaml";

import type { ChartName } from "../../components";
import { decodeRecord } from "../../components/cluster/helmRecords";
import { unlessAbsent } from "../../components/controlPlane/deployedMesh";
import { isObject, LINKERD_NAMESPACE, type Properties } from "../../components/rules";
import { differing } from "./leaves";
import type { Installed } from "./present";

/** Charts of Linkerd that are looked for. */
const CHARTS: readonly ChartName[] = ["linkerd-crds", "linkerd-control-plane", "linkerd-viz"];

/** What `linkerd install` was given; Secret and key have one name. */
const CLI_OVERRIDES = "linkerd-config-overrides";

/** A record of Helm, as far as it matters here. */
interface HelmRelease {
  readonly name: string;
  readonly namespace: string;
  readonly version: number;
  readonly config?: Properties;
  readonly chart: {
    readonly metadata: { readonly name: string; readonly version: string };
    readonly values?: Properties;
  };
}

/** Linkerd's charts as Helm or `linkerd install` have installed them, from their Secrets. */
export async function readCharts(core: CoreV1Api): Promise<Installed[]> {
  const [{ items }, overrides] = await Promise.all([
    core.listSecretForAllNamespaces({ labelSelector: "owner=helm,status=deployed" }),
    unlessAbsent(core.readNamespacedSecret({ namespace: LINKERD_NAMESPACE, name: CLI_OVERRIDES })),
  ]);
  const released = items
    .map(({ data }) => decodeRecord(data?.release ?? "") as HelmRelease)
    .flatMap(({ chart: { metadata, values = {} }, config, ...release }) => {
      const chart = CHARTS.find((name) => name === metadata.name);
      return chart === undefined
        ? []
        : {
            chart,
            release: `${release.namespace}/${release.name}`,
            revision: release.version,
            version: metadata.version,
            values: differing(config ?? {}, values),
          };
    });
  const text = overrides?.data?.[CLI_OVERRIDES];
  if (text === undefined || released.some(({ chart }) => chart === "linkerd-control-plane")) {
    return released;
  }
  const given: unknown = parse(Buffer.from(text, "base64").toString());
  return [...released, { chart: "linkerd-control-plane", values: isObject(given) ? given : {} }];
}
