import {
  CERTIFY,
  CLIENT,
  constant,
  GUARD,
  healthySeries,
  NO_IDENTITY,
  nothing,
  SERVER,
  withSeries,
} from "./meshSeries";
import { DAY, HOUR, ISSUED } from "./monitoredMeshes";
import type { Scenario, Series } from "./promtool";

/** One sample a minute, for forty minutes. */
const MINUTES = 41;

type Firing = Scenario["firing"];

/** A scenario of a mesh that works but for some series. `start`: in seconds since the issue of its certificates. */
function scenario(
  renewed: boolean,
  title: string,
  firing: Firing,
  changed: readonly Series[],
  start = 0,
): Scenario {
  const begins = ISSUED + start;
  const healthy = healthySeries(renewed, begins, 60, MINUTES).filter(
    // This test is about one event.
    ({ series }) => !series.startsWith("apiserver_validating"),
  );
  const series = withSeries(healthy, ...changed);
  return { title, start: begins, interval: "1m", series, at: "35m", firing };
}

const generated = scenario.bind(undefined, false);
const renewed = scenario.bind(undefined, true);

function proxy(title: string, left: number, firing: Firing): Scenario {
  const series = `identity_cert_expiration_timestamp_seconds{${CLIENT}}`;
  const values = constant(left === -Infinity ? 0 : ISSUED + 35 * 60 + left, MINUTES);
  return generated(title, firing, [{ series, values }]);
}

/** A counter that stays, and grows by one shortly before the end. */
function event(counter: string, before: number | undefined): Series {
  const values = before === undefined ? nothing(30) : constant(before, 30);
  return { series: counter, values: `${values} ${constant((before ?? 0) + 1, MINUTES - 30)}` };
}

const FAIL_OPEN =
  'apiserver_admission_webhook_fail_open_count{name="linkerd-proxy-injector.linkerd.io",type="admit"}';
const REJECTED =
  'apiserver_admission_webhook_rejection_count{name="linkerd-proxy-injector.linkerd.io",error_type="calling_webhook_error",operation="CREATE",rejection_code="0",type="admit"}';
const CHECKS = `apiserver_validating_admission_policy_check_total{${GUARD}`;
const PLAINTEXT = `tcp_open_total{direction="outbound",peer="dst",${CLIENT},${NO_IDENTITY},target_port="4444"`;
const TO_SERVER = `${PLAINTEXT},dst_namespace="${SERVER.namespace}",dst_pod="${SERVER.pod}"}`;

/** What happens to a mesh whose certificates nothing renews, and each alert that fires then. */
export const GENERATED_SCENARIOS: readonly Scenario[] = [
  generated("nothing", {}, []),
  generated(
    "a webhook's certificate with a quarter left",
    { "LinkerdCertificateExpiring warning": 1 },
    [],
    273 * DAY,
  ),
  generated(
    "one with ten days left",
    { "LinkerdCertificateExpiring warning": 1, "LinkerdCertificateExpiring critical": 1 },
    [],
    355 * DAY,
  ),
  generated(
    "one that has expired, and an anchor with a month left",
    { "LinkerdCertificateExpiring warning": 2, "LinkerdCertificateExpiring critical": 1 },
    [],
    3600 * DAY,
  ),
  generated("an issuer with 100 days left", { "LinkerdIssuerExpiring warning": 1 }, [
    { series: 'issuer_cert_ttl_seconds{pod="identity-2"}', values: constant(100 * DAY, MINUTES) },
  ]),
  generated(
    "one replica of identity with an issuer that has expired",
    { "LinkerdIssuerExpiring warning": 1, "LinkerdIssuerExpiring critical": 1 },
    [{ series: 'issuer_cert_ttl_seconds{pod="identity-2"}', values: constant(-5, MINUTES) }],
  ),
  proxy("a proxy that renews in time", 0.25 * DAY, {}),
  proxy("a proxy that could not renew", 4 * HOUR, { "LinkerdProxyCertificateExpiring warning": 1 }),
  ...[HOUR, -HOUR, -Infinity].map((left) =>
    proxy(`a proxy with ${left} s left`, left, {
      "LinkerdProxyCertificateExpiring warning": 1,
      "LinkerdProxyCertificateExpiring critical": 1,
    }),
  ),
  generated("a proxy that refuses a certificate", { "LinkerdProxyRefusesCertificate warning": 1 }, [
    event(`identity_cert_refreshes_total{result="error",${CLIENT}}`, 0),
  ]),
  generated("identity that refuses every other request", { "LinkerdIdentityRefuses critical": 1 }, [
    {
      series: `grpc_server_handled_total{${CERTIFY},grpc_code="FailedPrecondition"}`,
      values: `0+1x${MINUTES}`,
    },
  ]),
  generated("a webhook's first failure", { "LinkerdWebhookFailingOpen warning": 1 }, [
    event(FAIL_OPEN, undefined),
  ]),
  generated("a webhook's fourth failure", { "LinkerdWebhookFailingOpen warning": 1 }, [event(FAIL_OPEN, 3)]),
  generated("failures of long ago, and of others' webhooks", {}, [
    { series: FAIL_OPEN, values: constant(3, MINUTES) },
    event('apiserver_admission_webhook_fail_open_count{name="webhook.cert-manager.io",type="admit"}', 0),
  ]),
  generated("a webhook that does not answer under Fail", { "LinkerdWebhookRefusing critical": 1 }, [
    event(REJECTED, undefined),
  ]),
  generated("two refusals by the guard", {}, [
    { series: `${CHECKS},enforcement_action="deny"}`, values: `${nothing(20)} ${constant(2, 21)}` },
  ]),
  generated("pods that wait for the injector", { "LinkerdGuardDenying critical": 1 }, [
    { series: `${CHECKS},enforcement_action="deny"}`, values: `${nothing(20)} 1+1x20` },
  ]),
  generated("a connection in plaintext to a pod with a proxy", { "LinkerdPlaintext warning": 1 }, [
    event(TO_SERVER, undefined),
  ]),
  generated("another one between the same pods", { "LinkerdPlaintext warning": 1 }, [event(TO_SERVER, 7)]),
  generated("a connection in plaintext to a pod without a proxy, for the first time", {}, [
    event(`${PLAINTEXT},dst_namespace="old",dst_pod="db-2"}`, undefined),
  ]),
  {
    title: "no metrics at all",
    start: ISSUED,
    interval: "1m",
    series: [],
    at: "35m",
    firing: { "LinkerdMetricsMissing warning": 3 },
  },
];

function certManager(name: string, namespace: string, left: number): Series {
  const labels = `namespace="cert-manager",exported_namespace="${namespace}",name="${name}"`;
  return {
    series: `certmanager_certificate_expiration_timestamp_seconds{${labels}}`,
    values: constant(ISSUED + 35 * 60 + left, MINUTES),
  };
}

/** What happens to a mesh whose certificates cert-manager renews, with a guard that warns, and each alert that fires then. */
export const RENEWED_SCENARIOS: readonly Scenario[] = [
  renewed("nothing", {}, []),
  renewed("an issuer that was not renewed", { "LinkerdCertificateNotRenewed warning": 1 }, [
    certManager("linkerd-identity-issuer", "linkerd", 18 * HOUR),
  ]),
  renewed(
    "certificates of webhooks that were not renewed",
    { "LinkerdCertificateNotRenewed warning": 3, "LinkerdCertificateNotRenewed critical": 2 },
    [
      certManager("linkerd-proxy-injector", "linkerd", HOUR / 5),
      certManager("tap", "linkerd-viz", -HOUR),
      certManager("webhook-issuer", "linkerd", 60 * DAY),
    ],
  ),
  renewed("a renewed issuer that identity has not read", { "LinkerdIssuerExpiring warning": 1 }, [
    { series: 'issuer_cert_ttl_seconds{pod="identity-2"}', values: constant(12 * HOUR, MINUTES) },
  ]),
  renewed(
    "an issuer that is about to end",
    { "LinkerdIssuerExpiring warning": 1, "LinkerdIssuerExpiring critical": 1 },
    [{ series: 'issuer_cert_ttl_seconds{pod="identity-2"}', values: constant(6 * HOUR, MINUTES) }],
  ),
  renewed("a Certificate that cannot be issued", { "LinkerdCertificateNotReady warning": 1 }, [
    {
      series:
        'certmanager_certificate_ready_status{condition="True",namespace="cert-manager",exported_namespace="linkerd",name="linkerd-identity-issuer"}',
      values: constant(0, MINUTES),
    },
  ]),
  renewed(
    "a webhook's failure, which the guard does not make good",
    { "LinkerdWebhookFailingOpen critical": 1 },
    [event(FAIL_OPEN, undefined)],
  ),
  renewed("a pod that the guard lets through", { "LinkerdGuardLettingThrough critical": 1 }, [
    event(`${CHECKS},enforcement_action="warn"}`, undefined),
  ]),
  {
    title: "no metrics at all",
    start: ISSUED,
    interval: "1m",
    series: [],
    at: "35m",
    firing: { "LinkerdMetricsMissing warning": 4 },
  },
];
