import { DAY, HOUR } from "./monitoredMeshes";
import type { Series } from "./promtool";

/** Labels of two pods with a proxy, and of one without. */
export const CLIENT = 'namespace="shop",pod="web-1"';
export const SERVER = { namespace: "shop", pod: "users-1" };

/** One sample after another. */
export function constant(value: number | string, samples: number): string {
  return `${value}+0x${samples - 1}`;
}

/** No samples. */
export function nothing(samples: number): string {
  return `_x${samples}`;
}

/** What is left of certificates of which each is renewed when `least` is left, sample by sample. */
function left(lifetime: number, least: number, step: number, samples: number): number[] {
  const life = Math.floor((lifetime - least) / step);
  return Array.from({ length: samples }, (_, index) => lifetime - step * (index % life));
}

/** The end of each of them. */
function ends(lifetime: number, least: number, start: number, step: number, samples: number): string {
  return left(lifetime, least, step, samples)
    .map((seconds, index) => start + index * step + seconds)
    .join(" ");
}

function certificate(namespace: string, name: string): string {
  return `namespace="cert-manager",exported_namespace="${namespace}",name="${name}"`;
}

/** The Certificates of a mesh with viz and `caInjection`, with lifetime and what is left at a renewal, in seconds. */
const CERTIFICATES: readonly (readonly [labels: string, lifetime: number, least: number])[] = [
  [certificate("linkerd", "linkerd-identity-issuer"), 48 * HOUR, 25 * HOUR],
  [certificate("linkerd", "linkerd-proxy-injector"), DAY, HOUR],
  [certificate("linkerd-viz", "tap"), DAY, HOUR],
  [certificate("linkerd", "webhook-issuer"), 365 * DAY, 90 * DAY],
  // Somebody else's, which nobody renews.
  [certificate("shop", "tap"), DAY, -10 * DAY],
];

/**
 * A mesh on which everything works: certificates are renewed in time, a new identity pod takes the place of the old one,
 * and in that roll-out the guard refuses two pods and the API server once gets no answer in time under `Fail`.
 *
 * @param renewed Whether cert-manager issues the issuer; otherwise it lasts a year.
 */
export function healthySeries(renewed: boolean, start: number, step: number, samples: number): Series[] {
  const half = Math.floor(samples / 2);
  const [lifetime, least] = renewed ? [48 * HOUR, 25 * HOUR] : [365 * DAY, 0];
  const issuer = left(lifetime, least, step, samples);
  const proxies = ends(DAY, 0.3 * DAY, start, step, samples);
  const tcp = `tcp_open_total{direction="outbound",peer="dst",${CLIENT}`;
  return [
    { series: 'issuer_cert_ttl_seconds{pod="identity-1"}', values: issuer.slice(0, half).join(" ") },
    {
      series: 'issuer_cert_ttl_seconds{pod="identity-2"}',
      values: `${nothing(half)} ${issuer.slice(half).join(" ")}`,
    },
    { series: `identity_cert_expiration_timestamp_seconds{${CLIENT}}`, values: proxies },
    {
      series: `identity_cert_expiration_timestamp_seconds{namespace="${SERVER.namespace}",pod="${SERVER.pod}"}`,
      values: proxies,
    },
    { series: `identity_cert_refreshes_total{result="ok",${CLIENT}}`, values: `1+0.01x${samples}` },
    { series: `identity_cert_refreshes_total{result="error",${CLIENT}}`, values: constant(0, samples) },
    { series: `grpc_server_handled_total{${CERTIFY},grpc_code="OK"}`, values: `5+1x${samples}` },
    { series: "apiserver_request_total", values: `1+100x${samples}` },
    {
      series: `apiserver_validating_admission_policy_check_total{${GUARD},enforcement_action="deny"}`,
      values: `${nothing(half)} ${constant(2, samples - half)}`,
    },
    // With TLS, to pods outside the mesh, and within a pod.
    { series: `${tcp},tls="true",dst_namespace="shop",dst_pod="users-1"}`, values: `1+3x${samples}` },
    { series: `${tcp},${NO_IDENTITY},dst_namespace="old",dst_pod="db-1"}`, values: `1+1x${samples}` },
    {
      series: `tcp_open_total{direction="inbound",peer="dst",${CLIENT},tls="no_identity",no_tls_reason="loopback"}`,
      values: `1+3x${samples}`,
    },
    ...(renewed ? CERTIFICATES : []).flatMap(([labels, life, rest]) => [
      {
        series: `certmanager_certificate_expiration_timestamp_seconds{${labels}}`,
        values: ends(life, rest, start, step, samples),
      },
      {
        series: `certmanager_certificate_ready_status{condition="True",${labels}}`,
        values: constant(1, samples),
      },
    ]),
  ];
}

/** Labels of identity's method. */
export const CERTIFY = 'grpc_service="io.linkerd.proxy.identity.Identity",grpc_method="Certify"';
/** Labels of the guard's policy. */
export const GUARD = 'policy="linkerd-mesh-guard",policy_binding="linkerd-mesh-guard",error_type="no_error"';
/** Labels of a connection to a pod of which service discovery gives no identity. */
export const NO_IDENTITY = 'tls="no_identity",no_tls_reason="not_provided_by_service_discovery"';

/** The same series, with others in place of those of the same name and labels. */
export function withSeries(base: readonly Series[], ...changed: readonly Series[]): Series[] {
  const names = changed.map(({ series }) => series);
  return [...base.filter(({ series }) => !names.includes(series)), ...changed];
}
