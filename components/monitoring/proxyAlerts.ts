import { AlertRule, Alerts, grown } from "./rule";

/**
 * A proxy renews its certificate when 30% of the lifetime is left, and tries again when 30% of that is left, and so on
 * (linkerd2-proxy release/v2.359.0, linkerd/proxy/identity-client/src/certify.rs, `refresh_in`). So less than a fifth means
 * one failure, and less than a twentieth two.
 */
const PROXY_WARNING = 1 / 5;
const PROXY_CRITICAL = 1 / 20;

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
      "5m",
    ),
  ];
}

function certified(code: string): string {
  const service = 'grpc_service="io.linkerd.proxy.identity.Identity",grpc_method="Certify"';
  return `sum(increase(grpc_server_handled_total{${[service, code].filter(Boolean).join(",")}}[15m]))`;
}
