import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import * as pulumi from "@pulumi/pulumi";

import { dashboard } from "../../components/monitoring/dashboard";
import { EXPIRATION, LIFETIME, replacementThresholds } from "../../components/monitoring/certificateAlerts";
import { monitoredMesh } from "../../components/monitoring/monitoredMesh";
import { checkPrometheusRules } from "../../components/monitoring/prometheusRuleApi";
import type { AlertRule, RecordingRule, Severity } from "../../components/monitoring/rule";
import { meshRules } from "../../components/monitoring/rules";
import { checkCluster } from "../../components";
import type { GuardMode } from "../../components/injection/meshGuard";
import { type Answer, ApiServer, status } from "../support/apiServer";
import { testCertificate } from "../support/certificates";
import { metricsIn } from "../support/exposition";
import { problems, read } from "../support/readConfig";

const HOUR = 3600;
const DAY = 24 * HOUR;

type Settled = Parameters<typeof monitoredMesh>[0];

function rulesOf(
  certificates: Partial<Settled> = {},
  { release = "edge-26.6.3", guardMode = "deny" }: { release?: string; guardMode?: GuardMode } = {},
): (AlertRule | RecordingRule)[] {
  const mesh = monitoredMesh({ certPems: {}, ...certificates }, release);
  return meshRules({ ...mesh, runbookUrl: "docs/alerts.md", guardMode }).flatMap(({ rules }) => rules);
}

function alertsOf(...args: Parameters<typeof rulesOf>): AlertRule[] {
  return rulesOf(...args).filter((rule) => "alert" in rule);
}

/** The numbers in the expressions of an alert, by severity; more than one where several kinds of certificates have it. */
function thresholds(alerts: readonly AlertRule[], name: string): Partial<Record<Severity, number[]>> {
  const named = alerts.filter(({ alert }) => alert === name);
  return Object.fromEntries(
    named.map(({ expr, labels }) => [
      labels.severity,
      [...expr.matchAll(/< (\d+)/g)].map(([, seconds]) => Number(seconds)),
    ]),
  );
}

describe("the rules", () => {
  let issuer: string;
  let anchor: string;

  before(async () => {
    anchor = (await testCertificate("anchor", { days: [0, 3650] })).certPem;
    issuer = (await testCertificate("issuer", { days: [-1, 9] })).certPem;
  });

  it("know the end and the lifetime of each certificate that nothing renews", async () => {
    const { certPem, notAfter } = await testCertificate("anchor", { days: [-2, 8] });
    const labels = { certificate: "trust anchor 2026" };
    assert.deepEqual(
      rulesOf({ certPems: { "trust anchor 2026": certPem } }).filter((rule) => "record" in rule),
      [
        { record: EXPIRATION, expr: `vector(${notAfter.getTime() / 1000})`, labels },
        { record: LIFETIME, expr: `vector(${10 * DAY})`, labels },
      ],
    );
  });

  it("alert of such a certificate when a preview warns of it too", () => {
    assert.deepEqual(replacementThresholds(9 * DAY), { warning: 3 * DAY, critical: 0.9 * DAY });
    assert.deepEqual(replacementThresholds(3650 * DAY), { warning: 180 * DAY, critical: 30 * DAY });
    const [warning, critical] = alertsOf().filter(({ alert }) => alert === "LinkerdCertificateExpiring");
    assert.equal(warning?.expr, `(${EXPIRATION} - time()) < clamp_max(${LIFETIME} * 0.3333, ${180 * DAY})`);
    assert.equal(critical?.expr, `(${EXPIRATION} - time()) < clamp_max(${LIFETIME} * 0.1000, ${30 * DAY})`);
  });

  it("alert of the issuer by its own lifetime", () => {
    const alerts = alertsOf({ issuerPem: issuer });
    const warning = [Math.round((10 * DAY) / 3)];
    assert.deepEqual(thresholds(alerts, "LinkerdIssuerExpiring"), { warning, critical: [DAY] });
    assert.deepEqual(thresholds(alerts, "LinkerdCertificateNotRenewed"), {});
  });

  it("alert of the issuer by its date where identity does not tell", () => {
    const old = rulesOf({ issuerPem: issuer, certPems: { anchor } }, { release: "edge-25.1.2" });
    const names = old.flatMap((rule) => ("alert" in rule ? [rule.alert] : [rule.labels.certificate]));
    assert.ok(!names.includes("LinkerdIssuerExpiring"));
    assert.deepEqual(names.slice(0, 4), ["anchor", "anchor", "the issuer", "the issuer"]);
    assert.ok(!JSON.stringify(old).includes("issuer_cert_ttl_seconds"));
    const first = rulesOf({ issuerPem: issuer }, { release: "edge-25.2.1" });
    assert.equal(first.filter((rule) => "record" in rule).length, 0);
    assert.ok(JSON.stringify(first).includes("absent(issuer_cert_ttl_seconds)"));
  });

  it("alert of what cert-manager renews by how early it should, and of the issuer that identity read later", () => {
    const rotation = {
      identity: { duration: "60h", renewBefore: "40h" },
      webhooks: { caRotation: { duration: "2000h", renewBefore: "400h" } },
    };
    const alerts = alertsOf({ rotation, viz: true });
    assert.deepEqual(thresholds(alerts, "LinkerdIssuerExpiring"), {
      warning: [20 * HOUR],
      critical: [10 * HOUR],
    });
    const before = [40, 1, 400, 1, 400];
    assert.deepEqual(thresholds(alerts, "LinkerdCertificateNotRenewed"), {
      warning: before.map((hours) => 0.75 * hours * HOUR),
      critical: before.map((hours) => 0.25 * hours * HOUR),
    });
    const late = alerts.find(({ alert }) => alert === "LinkerdCertificateNotRenewed");
    assert.deepEqual(
      [...(late?.expr ?? "").matchAll(/\{(.*?)\}/g)].map(([, labels]) => labels),
      [
        'name=~"linkerd-identity-issuer",exported_namespace=~"(linkerd)?"',
        'name=~"linkerd-proxy-injector|linkerd-sp-validator|linkerd-policy-validator",exported_namespace=~"(linkerd)?"',
        'name=~"webhook-issuer",exported_namespace=~"(linkerd)?"',
        'name=~"tap|tap-injector",exported_namespace=~"(linkerd-viz)?"',
        'name=~"webhook-issuer",exported_namespace=~"(linkerd-viz)?"',
      ],
    );
  });

  it("leave out webhooks and viz where cert-manager does not issue their certificates", () => {
    const identity = { duration: undefined, renewBefore: undefined };
    const late = (certificates: Partial<Settled>) =>
      thresholds(alertsOf(certificates), "LinkerdCertificateNotRenewed").warning;
    assert.deepEqual(late({ rotation: { identity }, viz: true }), [0.75 * 25 * HOUR]);
    assert.deepEqual(late({ rotation: { identity, webhooks: {} } }), [0.75 * 25 * HOUR, 0.75 * HOUR]);
  });

  it("alert of proxies by the shortest life that their certificates are issued for", () => {
    const proxies = (certificates: Partial<Settled>) =>
      thresholds(alertsOf(certificates), "LinkerdProxyCertificateExpiring");
    assert.deepEqual(proxies({}), { warning: [4.8 * HOUR], critical: [1.2 * HOUR] });
    assert.deepEqual(proxies({ issuanceLifetime: 100 }), { warning: [20], critical: [5] });
    // Otherwise a proxy that got its certificate just before the renewal of the issuer would be late at once.
    const identity = { duration: "30h", renewBefore: "1h" };
    assert.deepEqual(proxies({ rotation: { identity } }), { warning: [720], critical: [180] });
  });

  it("alert of pods outside the mesh as the guard acts", () => {
    const admission = (guardMode: GuardMode) =>
      alertsOf({}, { guardMode })
        .filter(({ alert }) => /Webhook|Guard/.test(alert))
        .map(({ alert, labels }) => `${alert} ${labels.severity}`);
    assert.deepEqual(admission("deny"), [
      "LinkerdWebhookFailingOpen warning",
      "LinkerdWebhookRefusing critical",
      "LinkerdGuardDenying critical",
    ]);
    for (const mode of ["warn", "audit"] as const) {
      assert.deepEqual(admission(mode), [
        "LinkerdWebhookFailingOpen critical",
        "LinkerdWebhookRefusing critical",
        "LinkerdGuardLettingThrough critical",
      ]);
    }
  });

  it("link to a runbook that has a section for each alert, and for nothing else", () => {
    const page = readFileSync(join(__dirname, "..", "..", "docs", "alerts.md"), "utf8");
    const sections = [...page.matchAll(/^### (Linkerd\w+)$/gm)].map(([, name]) => name);
    const all = [
      ...alertsOf({ issuerPem: issuer }),
      ...alertsOf({ rotation: { identity: {} } }, { guardMode: "warn" }),
    ];
    assert.deepEqual([...new Set(all.map(({ alert }) => alert))].sort(), sections.toSorted());
    for (const { alert, annotations } of all) {
      assert.equal(annotations.runbook_url, `docs/alerts.md#${alert.toLowerCase()}`);
    }
  });
});

describe("the dashboard", () => {
  interface Panel {
    readonly id: number;
    readonly title: string;
    readonly gridPos: { readonly x: number; readonly y: number };
    readonly targets: readonly { readonly refId: string; readonly expr: string }[];
  }
  const { panels } = JSON.parse(dashboard()) as { readonly panels: readonly Panel[] };

  it("shows certificates, coverage and denials, each panel at a place of its own", () => {
    const about = new Set(panels.map(({ title }) => title.split(/[: ]/, 1)[0]));
    assert.deepEqual([...about], ["Certificates", "Proxies", "Coverage", "Denials"]);
    assert.equal(new Set(panels.map(({ gridPos }) => `${gridPos.x} ${gridPos.y}`)).size, panels.length);
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    for (const { targets } of panels) {
      assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length);
    }
  });

  it("reads no metrics but those of the alerts", () => {
    const known = metricsIn(alertsOf({ rotation: { identity: {} } }).map(({ expr }) => expr));
    const shown = metricsIn(panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)));
    assert.deepEqual(
      [...shown].filter((name) => !known.has(name)),
      [],
    );
    assert.equal(shown.size, 7);
  });
});

describe("the kind PrometheusRule", () => {
  const server = new ApiServer();
  before(() => server.listen());
  after(() => {
    server.close();
  });

  const asked = (answer: Answer, context = "here"): Promise<void> => {
    server.answers = { "GET /apis/monitoring.coreos.com/v1": answer };
    return checkPrometheusRules({ kubeconfig: server.kubeconfig(), context });
  };
  const has = (...names: string[]): Answer => ({ body: { resources: names.map((name) => ({ name })) } });

  it("is required, with the key and the commands", async () => {
    for (const answer of [status(404, "not found"), has("podmonitors")]) {
      await assert.rejects(asked(answer), (error: Error) => {
        assert.ok(pulumi.RunError.isInstance(error));
        const lines = error.message.split("\n");
        assert.match(
          lines[0] ?? "",
          /^linkerd-mtls:monitoring\.enabled must be false on a cluster without the Prometheus operator, but is true: there is no custom resource definition prometheusrules\.monitoring\.coreos\.com \(v1\)$/,
        );
        assert.match(lines[1] ?? "", /^ {4}kubectl apply --server-side -f https:\/\/.*prometheusrules\.yaml/);
        assert.equal(lines[2], "    pulumi config set --path linkerd-mtls:monitoring.enabled false");
        return true;
      });
    }
  });

  it("is looked for before the first resource of a mesh with monitoring", async () => {
    server.answers = { "GET /apis/monitoring.coreos.com/v1": status(404, "not found") };
    const cluster = { kubeconfig: server.kubeconfig(), context: "here" };
    await assert.rejects(
      checkCluster({ cluster, monitoring: {} }),
      /linkerd-mtls:monitoring\.enabled must be/,
    );
  });

  it("is not missed where it is, or where nobody answers", async () => {
    await asked(has("prometheusrules"));
    await asked(status(403, "forbidden"));
    await asked(status(404, "not found"), "nowhere");
  });
});

describe("key monitoring", () => {
  before(() =>
    pulumi.runtime.setMocks(
      { newResource: () => ({ id: "", state: {} }), call: () => ({}) },
      "linkerd-mtls",
      "test",
    ),
  );

  it("switches monitoring on, with where the operator looks", () => {
    const monitoring = {
      namespace: "monitoring",
      labels: { release: "prometheus", "example.org/team": "" },
      runbookUrl: "https://example.org/alerts",
    };
    assert.deepEqual(read({ monitoring: { ...monitoring, enabled: true } }).monitoring, monitoring);
    assert.equal(read({ monitoring }).monitoring, undefined);
    assert.equal(read({}).monitoring, undefined);
  });

  it("reports what the operator or the API server would refuse", () => {
    assert.deepEqual(
      problems({ monitoring: { labels: "release", namespace: "A", runbookUrl: "alerts.md" } }),
      [
        'linkerd-mtls:monitoring.namespace must be the name of an existing namespace, but is "A"\n' +
          "    pulumi config set --path 'linkerd-mtls:monitoring.namespace' monitoring",
        'linkerd-mtls:monitoring.labels must be an object of labels, but is "release"\n' +
          "    pulumi config set --path 'linkerd-mtls:monitoring.labels.release' prometheus",
        'linkerd-mtls:monitoring.runbookUrl must be a URL that begins with http:// or https://, but is "alerts.md"\n' +
          "    pulumi config set --path 'linkerd-mtls:monitoring.runbookUrl' https://example.org/alerts.html",
      ],
    );
    assert.deepEqual(problems({ monitoring: { labels: { "a b": "c", "a/b": 1, release: "x y" } } }), [
      'linkerd-mtls:monitoring.labels must be the name of a label before each value, but has "a b"',
      'linkerd-mtls:monitoring.labels["a/b"] must be the value of a label, as a string, but is 1\n' +
        "    pulumi config set --path 'linkerd-mtls:monitoring.labels[\"a/b\"]' prometheus",
      'linkerd-mtls:monitoring.labels.release must be the value of a label, as a string, but is "x y"\n' +
        "    pulumi config set --path 'linkerd-mtls:monitoring.labels.release' prometheus",
    ]);
  });
});
