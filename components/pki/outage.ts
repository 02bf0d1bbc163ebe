import * as pulumi from "@pulumi/pulumi";

import { DeployedTrust, PlannedTrust } from "./deployedTrust";
import { count } from "./podTrust";
import { MeshedPod } from "./runningTrust";
import { ResultingTrust, trustProblems } from "./trustChange";

/** Has `up` restart workloads of others, all at once: they are cut off in any case. */
const ROLL_ALL = [
  "pulumi config set --path linkerd-mtls:rolls.workloads all",
  "pulumi config set --path linkerd-mtls:rolls.percent 100",
];

/**
 * Warns of the downtime that a deployment cannot avoid, because trust has expired or the change cuts it: which pods must be
 * recreated before they are trusted again, and who does it. Reads the pods only where some must be.
 */
export async function warnOfOutage(
  deployed: DeployedTrust,
  planned: PlannedTrust,
  resulting: ResultingTrust,
): Promise<void> {
  const { readRunning, issuerExpired, anchors } = deployed;
  if (issuerExpired !== undefined && anchors.length > 0) {
    await pulumi.log.warn(
      `the issuer on the cluster has expired on ${issuerExpired.toISOString()}: identity issues nothing until it is replaced. ` +
        "`up` then restarts identity unless that has taken the new one by itself, and no other pod",
    );
  }
  const cause = outageOf(deployed, planned, resulting);
  if (cause === undefined || readRunning === undefined) {
    return;
  }
  const { pods } = await readRunning();
  if (pods.length > 0) {
    await pulumi.log.warn([`${cause}:`, ...describeRestarts(pods)].join("\n"));
  }
}

/** Why pods that run are not trusted any more; undefined where they are. */
function outageOf(...change: readonly [DeployedTrust, PlannedTrust, ResultingTrust]): string | undefined {
  const [{ trustDomain, anchors }, planned] = change;
  if (trustDomain === undefined) {
    return undefined;
  }
  if (anchors.length === 0) {
    return "every trust anchor on the cluster has expired, so that no meshed pod trusts another until both have been recreated";
  }
  return trustDomain !== planned.trustDomain || trustProblems(...change).length > 0
    ? "this change cuts traffic: a pod created before it and one created after it refuse each other until both have been recreated"
    : undefined;
}

function describeRestarts(pods: readonly MeshedPod[]): string[] {
  const others = pods.filter(({ rolledBy }) => rolledBy === "others").length;
  return [
    `  ${count(pods.length - others)} of the control plane and of this stack: \`up\` restarts them, each once`,
    ...(others === 0
      ? []
      : [
          `  ${count(others)} of others: \`up\` restarts what linkerd-mtls:rolls names, and says at its end what is left. All of them:`,
          ...ROLL_ALL.map((command) => `    ${command}`),
        ]),
  ];
}
