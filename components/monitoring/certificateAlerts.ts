import { Rotation } from "../certManager/rotation";
import { NEAR_END } from "../pki/expiry";
import { parseDuration } from "../validation/duration";
import { AlertRule, Alerts, grown, RecordingRule, Thresholds } from "./rule";

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

/**
 * A proxy renews its certificate when 30% of the lifetime is left, and tries again when 30% of that is left, and so on
 * (linkerd2-proxy release/v2.359.0, linkerd/proxy/identity-client/src/certify.rs, `refresh_in`). So less than a fifth means
 * one failure, and less than a twentieth two.
 */
const PROXY_WARNING = 1 / 5;
const PROXY_CRITICAL = 1 / 20;

/** When to alert of a certificate that a person must replace, by its lifetime in seconds. */
export function replacementThresholds(lifetime: number): Thresholds {
  return {
    warning: Math.round(Math.min(lifetime * NEAR_END.share, NEAR_END.mostMs / 1000)),
    critical: Math.round(Math.min(lifetime * CRITICAL_SHARE, CRITICAL_SECONDS)),
  };
}

/** When to alert of the issuer that identity has, which cert-manager renews. */
export function reloadThresholds(rotation: Rotation): Thresholds {
  return ofRenewal(rotation, RELOAD_WARNING);
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

/** Alerts of certificates that cert-manager should have renewed. */
export function renewalAlerts(alerts: Alerts, renewed: readonly RenewedCertificates[]): AlertRule[] {
  const late = renewed.flatMap(({ rotation, ...certificates }) =>
    alerts.left(
      {
        alert: "LinkerdCertificateNotRenewed",
        summary: "cert-manager has not renewed a certificate of Linkerd in time.",
        description: `Certificate ${certificates.namespace}/{{ $labels.name }} has {{ $value | humanizeDuration }} left (negative: it has expired). cert-manager renews it ${rotation.renewBefore} before its end.`,
      },
      `(certmanager_certificate_expiration_timestamp_seconds{${selector(certificates)}} - time())`,
      ofRenewal(rotation, RENEWAL_WARNING),
    ),
  );
  const unready = renewed.map(({ namespace, names }) =>
    alerts.rule(
      {
        alert: "LinkerdCertificateNotReady",
        summary: "cert-manager cannot issue a certificate of Linkerd.",
        description: `Certificate ${namespace}/{{ $labels.name }} is not Ready: cert-manager cannot issue it, or what it issued does not fit.`,
      },
      "warning",
      `certmanager_certificate_ready_status{condition="True",${selector({ namespace, names })}} == 0`,
      "10m",
    ),
  );
  return [...late, ...unready];
}

/**
 * Alerts of the proxies' certificates. Their metrics are those of linkerd2-proxy (release/v2.359.0, which edge-26.6.3 has):
 * linkerd/identity/src/metrics.rs, registered as `identity_cert` by linkerd/app/src/{lib,identity}.rs.
 *
 * @param seconds The shortest life that a proxy's certificate is issued for.
 */
export function proxyAlerts(alerts: Alerts, seconds: number): AlertRule[] {
  const pod = "{{ $labels.namespace }}/{{ $labels.pod }}";
  return [
    ...alerts.left(
      {
        alert: "LinkerdProxyCertificateExpiring",
        summary: "A proxy has not renewed its certificate in time.",
        description: `The certificate of the proxy in pod ${pod} has {{ $value | humanizeDuration }} left (negative: it has expired, or the proxy never got one). Afterwards, the pod can neither send to meshed pods nor receive from them.`,
      },
      "(identity_cert_expiration_timestamp_seconds - time())",
      { warning: Math.round(seconds * PROXY_WARNING), critical: Math.round(seconds * PROXY_CRITICAL) },
    ),
    alerts.rule(
      {
        alert: "LinkerdProxyRefusesCertificate",
        summary: "A proxy refuses the certificates that it gets.",
        description: `The proxy in pod ${pod} refused a certificate from identity: most likely the trust anchors it was created with do not include the one that signed the issuer.`,
      },
      "warning",
      grown('identity_cert_refreshes_total{result="error"}', "1h"),
    ),
    alerts.rule(
      {
        alert: "LinkerdIdentityRefuses",
        summary: "The identity service does not issue certificates.",
        description:
          "{{ $value | humanizePercentage }} of the requests for a certificate failed in the last 15 minutes. Proxies keep the certificate that they have until it ends; new pods do not become ready.",
      },
      "critical",
      `${certified('grpc_code!="OK"')} / ${certified("")} > 0.1`,
      "10m",
    ),
  ];
}

function certified(code: string): string {
  const service = 'grpc_service="io.linkerd.proxy.identity.Identity",grpc_method="Certify"';
  return `sum(increase(grpc_server_handled_total{${[service, code].filter(Boolean).join(",")}}[15m]))`;
}

/** A Prometheus that keeps its own label `namespace` puts the Certificate's into `exported_namespace`. */
function selector({ namespace, names }: Omit<RenewedCertificates, "rotation">): string {
  return `name=~"${names.join("|")}",exported_namespace=~"(${namespace})?"`;
}

function ofRenewal({ renewBefore }: Rotation, warning: number): Thresholds {
  // Its rule is that of a duration.
  const seconds = parseDuration(renewBefore) ?? 0;
  return { warning: Math.round(seconds * warning), critical: Math.round(seconds * RENEWAL_CRITICAL) };
}
