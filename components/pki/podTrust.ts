import { X509Certificate } from "node:crypto";

import * as pulumi from "@pulumi/pulumi";

import { parseOwner } from "../cluster/podOwner";
import { DeployedTrust, PlannedTrust } from "./deployedTrust";
import { MeshedPod, RunningTrust } from "./runningTrust";
import { isAccepted, recovery, ResultingTrust, staysIn, signersOf, resultingSigners } from "./trustChange";

/** Within this time, kubelets give a changed Secret to pods that run, and identity reloads it. */
export const RELOAD_SECONDS = 120;

/** Clocks of nodes may differ by as much; Linkerd allows 20 s. */
const SKEW_SECONDS = 60;

/** More owners than these are counted only. */
const MAX_OWNERS = 20;

/** What is in the way of a change, or was not done by it, and whose pods have to be recreated for it. */
export interface Obstacle {
  /** What is wrong with the pods; continues "2 pods". */
  readonly text: string;
  readonly pods: readonly MeshedPod[];
  /** When it ends by itself. */
  readonly until?: Date;
}

/**
 * Refuses to switch the issuer to an anchor that pods were created without, and to remove an anchor under which the
 * certificates of running pods may have been issued. Reads the pods only where the change does one of them.
 *
 * @throws RunError that names the pods by their owners, with the commands that recreate them.
 */
export async function refuseBeforePods(
  deployed: DeployedTrust,
  planned: PlannedTrust,
  resulting: ResultingTrust,
  now = new Date(),
): Promise<void> {
  const { readRunning } = deployed;
  if (readRunning === undefined || isAccepted(deployed, planned) || !asksPods(deployed, planned, resulting)) {
    return;
  }
  const obstacles = podObstacles(deployed, planned, resulting, await readRunning(), now);
  if (obstacles.length > 0) {
    throw new pulumi.RunError(
      [
        "This change of linkerd-mtls:trustAnchors or the issuer must wait until running pods are ready for it:",
        ...obstacles.flatMap(describeObstacle),
        ...recovery(deployed, planned, "Replacing all trust at once"),
      ].join("\n"),
    );
  }
}

/** Whether a change switches the signer or removes an anchor, for which running pods must be ready. */
function asksPods(...change: readonly [DeployedTrust, PlannedTrust, ResultingTrust]): boolean {
  const { next, dropped } = differences(...change);
  return next.length > 0 || dropped.length > 0;
}

/** What is in the way of a change in the pods that run; nothing where they are ready for it. */
export function podObstacles(
  deployed: DeployedTrust,
  planned: PlannedTrust,
  resulting: ResultingTrust,
  running: RunningTrust,
  now: Date,
): Obstacle[] {
  const { next, dropped } = differences(deployed, planned, resulting);
  return [
    ...(next.length > 0 ? withoutAnchor(running, next) : []),
    ...(dropped.length > 0 ? withOldCertificates(running, now) : []),
  ];
}

/** The anchors that sign the issuer and did not before, and those that are removed. */
function differences(deployed: DeployedTrust, planned: PlannedTrust, resulting: ResultingTrust) {
  const { anchors, issuer } = deployed;
  const inUse = signersOf(issuer, anchors);
  const signers = inUse.length > 0 ? resultingSigners(deployed, planned, resulting) : [];
  return {
    next: signers.filter((anchor) => !inUse.includes(anchor)),
    dropped: anchors.filter((anchor) => !staysIn(resulting, anchor)),
  };
}

/** Pods that would refuse every certificate of the new issuer. */
function withoutAnchor({ pods }: RunningTrust, next: readonly X509Certificate[]): Obstacle[] {
  const stale = pods.filter(
    ({ anchors }) => anchors !== undefined && !next.some(({ fingerprint256 }) => anchors.has(fingerprint256)),
  );
  return stale.length === 0
    ? []
    : [{ text: "created without the new trust anchor would refuse each new certificate", pods: stale }];
}

/** Pods whose certificates may be of the anchor that signed before. */
function withOldCertificates(running: RunningTrust, now: Date): Obstacle[] {
  const { pods, signedSince, issuerUpdated, lifetimeSeconds } = running;
  if (signedSince === undefined) {
    return [];
  }
  const identity = pods.filter(({ owner }) => owner === "Deployment linkerd/linkerd-identity");
  const isReloaded = issuerUpdated !== undefined && issuerUpdated >= signedSince;
  const reload = after(signedSince, RELOAD_SECONDS);
  if (!isReloaded && now < reload && identity.some(({ created }) => created < signedSince)) {
    return [
      {
        text: "of identity may not use the new issuer yet (no event IssuerUpdated)",
        pods: identity,
        until: reload,
      },
    ];
  }
  const since = isReloaded ? issuerUpdated : signedSince;
  const until = after(since, lifetimeSeconds + SKEW_SECONDS);
  const stale = pods.filter(({ created }) => created < since);
  return now >= until || stale.length === 0
    ? []
    : [
        {
          text: "created before the issuer changed may have certificates of the anchor that is removed",
          pods: stale,
          until,
        },
      ];
}

function after(time: Date, seconds: number): Date {
  return new Date(time.getTime() + seconds * 1000);
}

/** An obstacle in lines: its pods by their owners, with the commands that recreate them. */
export function describeObstacle({ text, pods, until }: Obstacle): string[] {
  const owners = ownersOf(pods);
  const more = owners.length - MAX_OWNERS;
  return [
    `  ${count(pods.length)} ${text}. Restart them${until === undefined ? "" : `, or wait until ${until.toISOString()}`}:`,
    ...owners.slice(0, MAX_OWNERS).map(([owner, number]) => `    ${restart(owner)}    # ${count(number)}`),
    ...(more > 0 ? [`    # and the pods of ${more} more`] : []),
  ];
}

/** The owners of pods in the order of their names, each with the number of its pods. */
export function ownersOf(pods: readonly MeshedPod[]): [owner: string, pods: number][] {
  const counts = new Map<string, number>();
  for (const { owner } of pods) {
    counts.set(owner, (counts.get(owner) ?? 0) + 1);
  }
  return [...counts].sort(([one], [other]) => one.localeCompare(other));
}

/** `1 pod`, `2 pods`. */
export function count(pods: number): string {
  return pods === 1 ? "1 pod" : `${pods} pods`;
}

/** The command that recreates an owner's pods, where there is one that loses nothing. */
export function restart(owner: string): string {
  const { kind, namespace, name } = parseOwner(owner);
  return ["Deployment", "StatefulSet", "DaemonSet"].includes(kind)
    ? `kubectl -n ${namespace} rollout restart ${kind.toLowerCase()}/${name}`
    : `# ${owner}: let it end, or have its owner recreate it`;
}
