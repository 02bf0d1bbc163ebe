import { GUARD_NAMES } from "../injection/meshGuard";
import { EXPIRATION } from "./certificateAlerts";

/** A query of a panel. */
interface Query {
  readonly expr: string;
  /** Name of its series in the legend. */
  readonly legend: string;
}

/** A panel of the dashboard. */
interface PanelArgs {
  readonly title: string;
  readonly description: string;
  /** Grafana's unit. */
  readonly unit: "s" | "percentunit" | "short";
  readonly queries: readonly Query[];
  /** Draws on a logarithmic scale, where values have very different sizes. */
  readonly logarithmic?: true;
}

/** The part of Grafana's grid that a panel takes: two in a row. */
const WIDTH = 12;
const HEIGHT = 9;

/** The data source that is chosen at the top of the dashboard. */
const SOURCE = { type: "prometheus", uid: "${source}" };

const GUARD = `policy=~"${GUARD_NAMES.join("|")}"`;
const WEBHOOKS = 'name=~".+[.]linkerd[.]io"';
const INBOUND = 'tcp_open_total{direction="inbound",peer="src"';

/** What is seen of a mesh: until when its certificates are valid, what is encrypted, and what was refused. */
const PANELS: readonly PanelArgs[] = [
  {
    title: "Certificates: time that is left",
    description: "A line falls until its certificate is renewed. Below zero it has expired.",
    unit: "s",
    logarithmic: true,
    queries: [
      { expr: `${EXPIRATION} - time()`, legend: "{{certificate}}" },
      { expr: "min(issuer_cert_ttl_seconds)", legend: "issuer in use" },
      {
        expr: 'min by (name) (certmanager_certificate_expiration_timestamp_seconds{exported_namespace=~"(linkerd|linkerd-viz)?"}) - time()',
        legend: "{{name}}, by cert-manager",
      },
      { expr: "min(identity_cert_expiration_timestamp_seconds) - time()", legend: "first proxy" },
    ],
  },
  {
    title: "Proxies: time that is left to their certificates, by namespace",
    description: "The least of each namespace. A proxy renews its certificate when 30% is left.",
    unit: "s",
    queries: [
      {
        expr: "min by (namespace) (identity_cert_expiration_timestamp_seconds) - time()",
        legend: "{{namespace}}",
      },
    ],
  },
  {
    title: "Coverage: inbound connections with TLS, by namespace",
    description:
      "Share of the connections that proxies accepted. The rest comes from outside the mesh, or bypasses it.",
    unit: "percentunit",
    queries: [
      {
        expr: `sum by (namespace) (rate(${INBOUND},tls="true"}[5m])) / sum by (namespace) (rate(${INBOUND}}[5m]))`,
        legend: "{{namespace}}",
      },
    ],
  },
  {
    title: "Coverage: proxies, by namespace",
    description: "Pods whose proxy Prometheus reads.",
    unit: "short",
    queries: [
      { expr: "count by (namespace) (identity_cert_expiration_timestamp_seconds)", legend: "{{namespace}}" },
    ],
  },
  {
    title: "Denials: pods that the guard refused or let through",
    description: "In five minutes, by what it did.",
    unit: "short",
    queries: [
      {
        expr: `sum by (policy, enforcement_action) (increase(apiserver_validating_admission_policy_check_total{${GUARD}}[5m]))`,
        legend: "{{policy}}: {{enforcement_action}}",
      },
    ],
  },
  {
    title: "Denials: webhooks that did not answer",
    description: "In five minutes: objects that were accepted without the webhook, or refused for it.",
    unit: "short",
    queries: [
      {
        expr: `sum by (name) (increase(apiserver_admission_webhook_fail_open_count{${WEBHOOKS}}[5m]))`,
        legend: "{{name}}: accepted",
      },
      {
        expr: `sum by (name) (increase(apiserver_admission_webhook_rejection_count{${WEBHOOKS},error_type="calling_webhook_error"}[5m]))`,
        legend: "{{name}}: refused",
      },
    ],
  },
];

function panel({ title, description, unit, queries, logarithmic }: PanelArgs, index: number): object {
  return {
    id: index + 1,
    type: "timeseries",
    title,
    description,
    datasource: SOURCE,
    gridPos: { x: (index % 2) * WIDTH, y: Math.floor(index / 2) * HEIGHT, w: WIDTH, h: HEIGHT },
    fieldConfig: {
      defaults: {
        unit,
        ...(unit === "percentunit" && { min: 0, max: 1 }),
        // Linear around zero, so that what has expired is seen too.
        ...(logarithmic && {
          custom: { scaleDistribution: { type: "symlog", log: 10, linearThreshold: 60 } },
        }),
      },
      overrides: [],
    },
    options: { legend: { displayMode: "list", placement: "bottom" }, tooltip: { mode: "multi" } },
    targets: queries.map(({ expr, legend }, query) => ({
      refId: String.fromCharCode("A".charCodeAt(0) + query),
      datasource: SOURCE,
      expr,
      legendFormat: legend,
    })),
  };
}

/** Grafana's dashboard of a mesh, as JSON. https://grafana.com/docs/grafana/latest/visualizations/dashboards/build-dashboards/view-dashboard-json-model/ */
export function dashboard(): string {
  const model = {
    uid: "linkerd-mtls",
    title: "Linkerd mTLS",
    tags: ["linkerd"],
    editable: false,
    schemaVersion: 39,
    refresh: "1m",
    time: { from: "now-2d", to: "now" },
    templating: { list: [{ name: "source", label: "Data source", type: "datasource", query: "prometheus" }] },
    panels: PANELS.map(panel),
  };
  return JSON.stringify(model, undefined, 2);
}
