import type { X509Certificate } from "node:crypto";

import type { CoreV1Api, CoreV1Event, V1Pod } from "@kubernetes/client-node";

import { ClusterAccess, connect } from "../cluster/client";
import { isLive } from "../cluster/meshedPods";
import { IDENTITY_ISSUER_SECRET } from "../pki/identityIssuer";
import { liveCertificates } from "../pki/deployedTrust";
import { issuerPemOf } from "./deployedMesh";
import { LINKERD_NAMESPACE } from "./linkerdNamespace";
import { latest, written } from "./runningTrust";

/** Label of identity's pods. */
const IDENTITY = "linkerd.io/control-plane-component=identity";

/** Its container in them. */
const IDENTITY_CONTAINER = "identity";

/** Object that identity's events are about. */
const IDENTITY_EVENTS = "involvedObject.name=linkerd-identity";

/** Port of identity's metrics. */
const ADMIN_PORT = 9990;

/** Seconds until the issuer in use ends (linkerd2, pkg/identity/service.go, since edge-25.2.1). */
const ISSUER_TTL = /^issuer_cert_ttl_seconds (\S+)$/m;

/** Clocks may differ by as much, in milliseconds: two ends that are nearer than this are taken for one. */
const SKEW_MS = 60_000;

/** After this time, Kubernetes may have forgotten an event, in milliseconds. */
export const EVENTS_MS = 55 * 60_000;

/** How long to wait for one replica's metrics. */
const METRICS_TIMEOUT_MS = 2_000;

/** Which issuer the replicas of identity use. */
export interface IssuerInUse {
  /** When the issuer's Secret was last written. */
  readonly written: Date;
  /** How many replicas run, or will. */
  readonly replicas: number;
  /** Names of those that are not known to use what the Secret has. */
  readonly unproven: readonly string[];
  /** When the issuer ends that a replica uses instead, by its name, as far as its metrics were asked and give another end. */
  readonly others: Readonly<Record<string, Date>>;
  /** Why identity did not take it (`IssuerUpdateSkipped`), in its words. */
  readonly skipped?: string;
}

/** What to read. */
export interface IssuerQuestion {
  /**
   * The issuer before, as long as it had not expired: a metric must tell it apart. Where it had expired, identity does not
   * run with it, so a container that has started since uses the new one. Default: it is not known.
   */
  readonly before?: readonly Pick<X509Certificate, "validTo" | "fingerprint256">[];
  /**
   * When the issuer before was written: where the Secret has the same one again, that is the time that counts, because
   * identity reports no issuer that it has already. Default: when the Secret was last written.
   */
  readonly writtenBefore?: Date;
  /**
   * Whether the metrics of every replica are asked, which count more than its events and its age: an identity that reported
   * the new issuer may have kept the old one (linkerd2#15109). Default: only where the others do not suffice.
   */
  readonly asksMetrics?: boolean;
}

/**
 * Reads which replicas of identity use the issuer that is in its Secret: those that were created after it was written,
 * as many as have reported `IssuerUpdated` since, and those whose own metrics give its end. Metrics say nothing where the
 * release has none or the user must not read them.
 */
export async function readIssuerInUse(
  cluster: ClusterAccess,
  timeoutMs: number,
  { before, writtenBefore, asksMetrics = false }: IssuerQuestion = {},
): Promise<IssuerInUse> {
  const namespace = LINKERD_NAMESPACE;
  const core = await connect(cluster, ({ CoreV1Api }) => CoreV1Api, timeoutMs);
  const [secret, { items }, events] = await Promise.all([
    core.readNamespacedSecret({ namespace, name: IDENTITY_ISSUER_SECRET }),
    core.listNamespacedPod({ namespace, labelSelector: IDENTITY }),
    core.listNamespacedEvent({ namespace, fieldSelector: IDENTITY_EVENTS }),
  ]);
  const pods = items.filter(isLive);
  const [issuer] = liveCertificates(issuerPemOf(secret));
  const [old] = before ?? [];
  const isSame = old !== undefined && old.fingerprint256 === issuer?.fingerprint256;
  const lastWritten = written(secret) ?? secret.metadata?.creationTimestamp ?? new Date(0);
  const since = isSame ? (writtenBefore ?? lastWritten) : lastWritten;
  const started = before?.length === 0 ? containerStart : podStart;
  const older = pods.filter((pod) => (started(pod) ?? since) < since);
  const reports = events.items.filter((event) => (timeOf(event) ?? new Date(0)) >= since);
  // Each replica has an event of its own, and counts in it.
  const updated = reports.filter(({ reason }) => reason === "IssuerUpdated");
  const [skipped] = reports.filter(({ reason }) => reason === "IssuerUpdateSkipped");

  const toldApart = old === undefined || Math.abs(end(old) - (issuer ? end(issuer) : 0)) > 2 * SKEW_MS;
  const suspects = updated.length >= older.length ? [] : older.map(nameOf);
  const ends =
    issuer === undefined || !toldApart
      ? {}
      : await endsInUse(asksMetrics ? pods.map(nameOf) : suspects, cluster);
  const uses = (name: string): boolean | undefined =>
    issuer && ends[name] && Math.abs(ends[name].getTime() - end(issuer)) <= SKEW_MS;
  const others = Object.entries(ends).filter(([name]) => uses(name) === false);
  const unproven = pods
    .map(nameOf)
    .filter((name) => uses(name) === false || (uses(name) === undefined && suspects.includes(name)));
  return {
    written: since,
    replicas: pods.length,
    unproven,
    others: Object.fromEntries(others),
    ...(unproven.length > 0 && skipped !== undefined && { skipped: skipped.message ?? "" }),
  };
}

/** When the issuers end that these replicas use, by name, without those whose metrics do not tell. */
async function endsInUse(
  names: readonly string[],
  cluster: ClusterAccess,
): Promise<Readonly<Record<string, Date>>> {
  const core = await connect(cluster, ({ CoreV1Api }) => CoreV1Api, METRICS_TIMEOUT_MS);
  const ends = await Promise.all(
    names.map(async (name) => {
      const used = await endInUse(core, name).catch(() => undefined);
      return used === undefined ? [] : [[name, used] as const];
    }),
  );
  return Object.fromEntries(ends.flat());
}

/** When the issuer that a replica uses ends, as it tells in its metrics; undefined where it does not. */
async function endInUse(core: CoreV1Api, pod: string): Promise<Date | undefined> {
  const metrics = await core.connectGetNamespacedPodProxyWithPath({
    namespace: LINKERD_NAMESPACE,
    name: `${pod}:${ADMIN_PORT}`,
    path: "metrics",
  });
  const seconds = Number(ISSUER_TTL.exec(metrics)?.[1]);
  return Number.isFinite(seconds) ? new Date(Date.now() + seconds * 1000) : undefined;
}

function podStart({ metadata }: V1Pod): Date | undefined {
  return metadata?.creationTimestamp;
}

/** A container that is restarted keeps its pod, and reports nothing of the issuer with which it starts. */
function containerStart(pod: V1Pod): Date | undefined {
  const container = pod.status?.containerStatuses?.find(({ name }) => name === IDENTITY_CONTAINER);
  return container?.state?.running?.startedAt ?? podStart(pod);
}

function nameOf({ metadata }: V1Pod): string {
  return metadata?.name ?? "?";
}

function timeOf({ lastTimestamp, eventTime, firstTimestamp }: CoreV1Event): Date | undefined {
  return latest([lastTimestamp ?? eventTime ?? firstTimestamp]);
}

function end({ validTo }: { readonly validTo: string }): number {
  return new Date(validTo).getTime();
}
