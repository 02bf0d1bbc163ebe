import { AlertRule, Alerts, grown } from "./rule";

/**
 * Connections that a proxy made without TLS, because service discovery gave no identity for the other end (linkerd2-proxy
 * release/v2.359.0: linkerd/app/core/src/transport/labels.rs for the labels `tls` and `no_tls_reason`, linkerd/tls/src/client.rs
 * for the reasons, linkerd/transport-metrics/src/lib.rs for the counter).
 */
const PLAINTEXT =
  'tcp_open_total{direction="outbound",peer="dst",tls="no_identity",no_tls_reason="not_provided_by_service_discovery",dst_pod!=""}';

/** Which pods have a proxy, with the labels that others have for them. */
const MESHED = [
  "group by (dst_namespace, dst_pod) (",
  'label_replace(label_replace(identity_cert_expiration_timestamp_seconds, "dst_pod", "$1", "pod", "(.+)"), ',
  '"dst_namespace", "$1", "namespace", "(.+)"))',
].join("");

/** A source of metrics without which some alerts can never fire. */
export interface MetricsSource {
  /** Who has them, e.g. `the API server`. */
  readonly what: string;
  /** A metric that it always has. */
  readonly metric: string;
}

/** Who has the proxies' metrics. */
export const PROXY_METRICS: MetricsSource = {
  what: "proxies",
  metric: "identity_cert_expiration_timestamp_seconds",
};
/** The identity service, since edge-25.2.1. */
export const IDENTITY_METRICS: MetricsSource = {
  what: "the identity service",
  metric: "issuer_cert_ttl_seconds",
};
/** The API server. */
export const API_SERVER_METRICS: MetricsSource = {
  what: "the API server",
  metric: "apiserver_request_total",
};
/** cert-manager's controller. */
export const CERT_MANAGER_METRICS: MetricsSource = {
  what: "cert-manager",
  metric: "certmanager_certificate_expiration_timestamp_seconds",
};

/** Alerts of plaintext between meshed pods, and of metrics that Prometheus does not get. */
export function trafficAlerts(alerts: Alerts, sources: readonly MetricsSource[]): AlertRule[] {
  return [
    alerts.rule(
      {
        alert: "LinkerdPlaintext",
        summary: "A meshed pod sent to another meshed pod without TLS.",
        description:
          "In the last 10 minutes, pod {{ $labels.namespace }}/{{ $labels.pod }} opened connections without TLS to port {{ $labels.target_port }} of pod {{ $labels.dst_namespace }}/{{ $labels.dst_pod }}, which has a proxy.",
      },
      "warning",
      [
        `sum by (namespace, pod, dst_namespace, dst_pod, target_port) ${grown(PLAINTEXT, "10m")}`,
        `and on (dst_namespace, dst_pod) ${MESHED}`,
      ].join(" "),
      "",
    ),
    alerts.rule(
      {
        alert: "LinkerdMetricsMissing",
        summary: "Prometheus does not get metrics that alerts of Linkerd need.",
        description:
          "Prometheus has had no metrics of {{ $labels.source }} for 15 minutes, so alerts that are made from them cannot fire.",
      },
      "warning",
      sources
        .map(({ what, metric }) => `label_replace(absent(${metric}), "source", "${what}", "", "")`)
        .join(" or "),
      "15m",
    ),
  ];
}
