import * as pulumi from "@pulumi/pulumi";

import { isChartDirectory } from "../cluster/helmChart";
import { releaseOf } from "./release";
import { ChartSource, DEFAULT_CHART_SOURCE, isOlder } from "./version";

/**
 * Refuses an older release than the one that is deployed. Helm would delete the custom resource definitions that the older
 * charts do not have, with all of their objects, and the others would no longer serve the versions that these are stored in.
 *
 * @param acceptOutage The release, where that is wanted.
 * @throws RunError with the ways out.
 */
export async function refuseDowngrade(
  deployed: string | undefined,
  charts: ChartSource,
  acceptOutage?: string,
): Promise<void> {
  const release = await releaseOf(charts);
  if (deployed === undefined || release === acceptOutage || !isOlder(release, deployed)) {
    return;
  }
  const [rule, remedy] = isChartDirectory(charts.source ?? DEFAULT_CHART_SOURCE)
    ? [`chartSource must have charts of ${deployed}`, "chartSource <directory>"]
    : [`linkerdVersion must be ${deployed}`, `linkerdVersion ${deployed}`];
  throw new pulumi.RunError(
    [
      `linkerd-mtls:${rule}, which is on this cluster, or newer, but the charts are of ${release}.`,
      "An older linkerd-crds deletes the custom resource definitions that it does not have, with all of their objects, " +
        "and no longer serves newer versions of the others.",
      `    pulumi config set linkerd-mtls:${remedy}`,
      "If the older release has the same definitions and versions (compare the charts), or you have saved the objects:",
      `    pulumi config set linkerd-mtls:acceptOutage ${release}    # allows this downgrade, and no other`,
    ].join("\n"),
  );
}
