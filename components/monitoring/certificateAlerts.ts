import { Rotation } from "../certManager/rotation";
import { NEAR_END } from "../pki/expiry";
import { parseDuration } from "../validation/duration";
import { AlertRule, Alerts, RecordingRule, Thresholds } from "./rule";

const DAY_SECONDS = 24 * 60 * 60;

/** The end of each certificate that the deployment knows; its label `certificate` says which one. */
export const EXPIRATION = "linkerd_mtls:certificate_expiration_timestamp_seconds";
/** For how long each of them is valid in all. */
export const LIFETIME = "linkerd_mtls:certificate_lifetime_seconds";

/** A certificate whose dates the deployment knows. */
export interface KnownCertificate {
  /** What it is, e.g. `trust anchor 2026`. */
  readonly what: string;
  /** The end of its validity, in seconds since 1970. */
  readonly notAfter: number;
  /** For how long it is valid in all, in seconds. */
  readonly lifetime: number;
}

/** Certificates that cert-manager renews. */
export interface RenewedCertificates {
  readonly namespace: string;
  /** Names of the Certificates. */
  readonly names: readonly string[];
  readonly rotation: Rotation;
}

/** Share of what is left at a renewal by cert-manager from which on it is late, and must be looked at now. */
const RENEWAL_WARNING = 3 / 4;
const RENEWAL_CRITICAL = 1 / 4;
/** Identity reads a renewed issuer from its Secret a few minutes later. */
const RELOAD_WARNING = 1 / 2;

/** A certificate that a person must replace: first when `up` warns of it too, then at a tenth of its lifetime, or 30 days. */
const CRITICAL_SHARE = 1 / 10;
const CRITICAL_SECONDS = 30 * DAY_SECONDS;

/** When to alert of a certificate that a person must replace, by its lifetime in seconds. */
export function replacementThresholds(lifetime: number): Thresholds {
  return {
    warning: Math.round(Math.min(lifetime * NEAR_END.share, NEAR_END.mostMs / 1000)),
    critical: Math.round(Math.min(lifetime * CRITICAL_SHARE, CRITICAL_SECONDS)),
  };
}

/** When to alert of the issuer that identity has, which cert-manager renews. */
export function reloadThresholds(rotation: Rotation): Thresholds {
  return {
    warning: secondsBefore(rotation, RELOAD_WARNING),
    critical: secondsBefore(rotation, RENEWAL_CRITICAL),
  };
}

/** Two series for each certificate that the deployment knows. */
export function knownCertificates(known: readonly KnownCertificate[]): RecordingRule[] {
  return known.flatMap(({ what: certificate, notAfter, lifetime }) => [
    { record: EXPIRATION, expr: `vector(${notAfter})`, labels: { certificate } },
    { record: LIFETIME, expr: `vector(${lifetime})`, labels: { certificate } },
  ]);
}

/** Alerts of certificates that the deployment knows and that nothing renews. */
export function knownAlerts(alerts: Alerts): AlertRule[] {
  const least = (share: number, seconds: number): string =>
    `clamp_max(${LIFETIME} * ${share.toFixed(4)}, ${Math.round(seconds)})`;
  return alerts.left(
    {
      alert: "LinkerdCertificateExpiring",
      summary: "A certificate of Linkerd that nothing renews is near its end.",
      description:
        "{{ $labels.certificate }} has {{ $value | humanizeDuration }} left (negative: it has expired). It must be reissued, or rotated, before.",
    },
    `(${EXPIRATION} - time())`,
    {
      warning: least(NEAR_END.share, NEAR_END.mostMs / 1000),
      critical: least(CRITICAL_SHARE, CRITICAL_SECONDS),
    },
  );
}

/**
 * Alerts of the issuer that identity has in memory, whoever issued it. Identity has the metric since edge-25.2.1 (linkerd2,
 * pkg/identity/service.go, `registerCertExpirationMetrics`).
 */
export function issuerAlerts(alerts: Alerts, thresholds: Thresholds): AlertRule[] {
  return alerts.left(
    {
      alert: "LinkerdIssuerExpiring",
      summary: "The issuer that the identity service uses is near its end.",
      description:
        "The issuer in memory of identity pod {{ $labels.pod }} has {{ $value | humanizeDuration }} left (negative: it has expired). Without a new one, proxies get no certificates.",
    },
    "issuer_cert_ttl_seconds",
    thresholds,
  );
}

/** Alerts of certificates that cert-manager should have renewed; none where it renews none. */
export function renewalAlerts(alerts: Alerts, renewed: readonly RenewedCertificates[]): AlertRule[] {
  if (renewed.length === 0) {
    return [];
  }
  const name = "{{ or $labels.exported_namespace $labels.namespace }}/{{ $labels.name }}";
  const late = {
    alert: "LinkerdCertificateNotRenewed",
    summary: "cert-manager has not renewed a certificate of Linkerd in time.",
    description: `Certificate ${name} has {{ $value | humanizeDuration }} left (negative: it has expired), and cert-manager should have renewed it before.`,
  };
  const below = (share: number): string =>
    renewed
      .map((certificates) => {
        const end = `certmanager_certificate_expiration_timestamp_seconds{${selector(certificates)}}`;
        return `${end} - time() < ${secondsBefore(certificates.rotation, share)}`;
      })
      .join(" or ");
  const ready = renewed.map(
    (certificates) => `certmanager_certificate_ready_status{condition="True",${selector(certificates)}} == 0`,
  );
  return [
    alerts.rule(late, "warning", below(RENEWAL_WARNING)),
    alerts.rule(late, "critical", below(RENEWAL_CRITICAL)),
    alerts.rule(
      {
        alert: "LinkerdCertificateNotReady",
        summary: "cert-manager cannot issue a certificate of Linkerd.",
        description: `Certificate ${name} is not Ready: cert-manager cannot issue it, or what it issued does not fit.`,
      },
      "warning",
      ready.join(" or "),
      "10m",
    ),
  ];
}

/** A Prometheus that keeps its own label `namespace` puts the Certificate's into `exported_namespace`. */
function selector({ namespace, names }: RenewedCertificates): string {
  return `name=~"${names.join("|")}",exported_namespace=~"(${namespace})?"`;
}

/** A share of what is left at a renewal. */
function secondsBefore({ renewBefore }: Rotation, share: number): number {
  // Its rule is that of a duration.
  return Math.round((parseDuration(renewBefore) ?? 0) * share);
}
