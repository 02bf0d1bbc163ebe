import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { Client, credentials } from "@grpc/grpc-js";
import { AdmissionregistrationV1Api, AppsV1Api, CoreV1Api, CustomObjectsApi } from "@kubernetes/client-node";
import { parse } from "yaml";

import type { RuleGroup } from "../../components/monitoring/rule";
import { sandboxTools } from "../../tools/sandbox/build/tools";
import type { SandboxStatus } from "../../tools/sandbox/supervisor";
import { configuration, run, succeed } from "../support/command";
import { eventually } from "../support/eventually";
import { type Exposition, metricsIn, namesOf, parseExposition, replay } from "../support/exposition";
import { promtool, type Scenario } from "../support/promtool";
import { useSandbox } from "../support/testSandbox";

const RULES = { group: "monitoring.coreos.com", version: "v1", plural: "prometheusrules" } as const;

/** Metrics of proxies, which do not run here: their names are from the proxy's source, see proxyAlerts.ts. */
const FROM_SOURCE = [
  "identity_cert_expiration_timestamp_seconds",
  "identity_cert_refreshes_total",
  "tcp_open_total",
];

/** The series of pods that are refused because the injector does not answer. */
const REJECTIONS = "apiserver_admission_webhook_rejection_count{";
const NO_ANSWER = ['name="linkerd-proxy-injector.linkerd.io"', 'error_type="calling_webhook_error"'];

/** An application's namespace, and a pod that is refused there while the injector does not answer. */
const NAMESPACE = "others";
const POD = {
  metadata: { generateName: "pod-" },
  spec: { containers: [{ name: "main", image: "registry.k8s.io/pause:3.10" }] },
};

const SAMPLES = 20;

describe("monitoring", () => {
  const sandbox = useSandbox("test-monitoring");
  const settings = configuration({
    sampleApplications: [],
    namespaces: [],
    monitoring: { enabled: true, labels: { release: "prometheus" } },
  });
  const command = (name: string): string[] => [
    name,
    "--stack",
    "rotating",
    "--name",
    sandbox.name,
    ...settings,
  ];
  const core = () => sandbox.client(CoreV1Api);
  let groups: readonly RuleGroup[];
  let pods: ReadonlyMap<string, string>;

  const kubectl = (path: string): Promise<string> => sandbox.kubectl(["get", "--raw", path]);

  /** What the API server, identity and cert-manager expose, together. */
  async function exposed(): Promise<Exposition> {
    const pod = (name: string, port: number) => {
      const [namespace = "", found = ""] = pods.get(name)?.split("/") ?? [];
      return `/api/v1/namespaces/${namespace}/pods/${found}:${port}/proxy/metrics`;
    };
    const paths = ["/metrics", pod("linkerd-identity", 9990), pod("cert-manager", 9402)];
    const texts = await Promise.all(paths.map(kubectl));
    return parseExposition(texts.join("\n"));
  }

  async function createPods(count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      await core()
        .createNamespacedPod({ namespace: NAMESPACE, dryRun: "All", body: POD })
        .catch(() => undefined);
    }
  }

  /** Asks identity for a certificate, with nothing that says for whom. */
  async function requestCertificate(): Promise<void> {
    const name = pods.get("linkerd-identity")?.split("/")[1] ?? "";
    const { status } = await core().readNamespacedPod({ namespace: "linkerd", name });
    const { apiServer } = JSON.parse(await readFile(sandbox.paths.status, "utf8")) as SandboxStatus;
    // What is in the pod 10.244.x.y of this sandbox listens at 127.N.x.y.
    const [network = ""] = /127\.\d+/.exec(apiServer) ?? [];
    const address = `${status?.podIP?.replace("10.244", network) ?? ""}:8080`;
    const client = new Client(address, credentials.createInsecure());
    const bytes = (buffer: Buffer): Buffer => buffer;
    const method = "/io.linkerd.proxy.identity.Identity/Certify";
    const refusal = await new Promise<string | undefined>((resolve) => {
      client.makeUnaryRequest(method, bytes, bytes, Buffer.alloc(0), (error) => {
        resolve(error?.details);
      });
    });
    client.close();
    assert.equal(refusal, "missing identity");
  }

  async function failurePolicy(value: "Ignore" | "Fail"): Promise<void> {
    await sandbox.client(AdmissionregistrationV1Api).patchMutatingWebhookConfiguration({
      name: "linkerd-proxy-injector-webhook-config",
      body: [{ op: "replace", path: "/webhooks/0/failurePolicy", value }],
    });
  }

  const usedNames = (): Set<string> =>
    metricsIn(groups.flatMap(({ rules }) => rules.map(({ expr }) => expr)));

  const scenario = (start: number, series: Scenario["series"], firing: Scenario["firing"]): Scenario => ({
    title: "what the sandbox exposed",
    start,
    interval: "1m",
    series,
    at: "27m",
    // No proxy runs.
    firing: { "LinkerdMetricsMissing warning": 1, ...firing },
  });

  it("is refused in a preview where the kind is missing, with the key and what to do", async () => {
    await succeed("sandbox", "start", "--name", sandbox.name);
    const { code, output } = await run(...command("preview"));
    assert.equal(code, 1, output);
    assert.match(
      output,
      /linkerd-mtls:monitoring\.enabled must be false on a cluster without the Prometheus operator/,
    );
    assert.match(output, /kubectl apply --server-side -f https:.*prometheusrules\.yaml/);
    assert.match(output, /pulumi config set --path linkerd-mtls:monitoring\.enabled false/);
  });

  it("makes rules that the operator's definition and promtool accept", async () => {
    const { tools } = await sandboxTools();
    const definition = parse(await readFile(tools.prometheusRuleDefinition, "utf8")) as { kind: string };
    await sandbox.objects().create(definition);
    await succeed(...command("up"));
    const rule = (await sandbox
      .client(CustomObjectsApi)
      .getNamespacedCustomObject({ ...RULES, namespace: "linkerd", name: "linkerd-mtls" })) as {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: { readonly groups: readonly RuleGroup[] };
    };
    assert.deepEqual(rule.metadata.labels, { release: "prometheus" });
    groups = rule.spec.groups;
    const { items } = await core().listPodForAllNamespaces();
    pods = new Map(
      items.map(({ metadata }) => {
        const { name = "", namespace = "" } = metadata ?? {};
        return [name.replace(/-[a-z0-9]+-[a-z0-9]+$/, ""), `${namespace}/${name}`];
      }),
    );
  });

  it("alerts of nothing that the healthy mesh exposes, but that no proxy runs", async () => {
    const series = replay(usedNames(), SAMPLES, await exposed());
    await promtool(groups, [scenario(Math.round(Date.now() / 1000), series, {})]);
  });

  it("alerts of what it exposes when certificates are not renewed", async () => {
    const exposition = await exposed();
    const end = exposition.get(
      [...exposition.keys()].find(
        (series) =>
          series.startsWith("certmanager_certificate_exp") && series.includes("linkerd-identity-issuer"),
      ) ?? "",
    );
    assert(end !== undefined);
    const series = replay(usedNames(), SAMPLES, exposition);
    await promtool(groups, [
      scenario(end - 5 * 3600, series, {
        // The webhooks' certificates have ended by then.
        "LinkerdCertificateNotRenewed warning": 4,
        "LinkerdCertificateNotRenewed critical": 4,
      }),
    ]);
  });

  it("alerts of what it exposes when the injector and identity refuse", async () => {
    const metadata = { name: NAMESPACE, annotations: { "linkerd.io/inject": "enabled" } };
    await core().createNamespace({ body: { metadata } });
    const body = [{ op: "replace", path: "/spec/replicas", value: 0 }];
    const name = "linkerd-proxy-injector";
    await sandbox.client(AppsV1Api).patchNamespacedDeployment({ namespace: "linkerd", name, body });
    const failures = (exposition: Exposition, metric: string): boolean => namesOf(exposition).has(metric);
    await sandbox.injectorEnded();
    await eventually("the API server gets no answer", 60, async () => {
      await createPods(1);
      const names = await exposed();
      return (
        failures(names, "apiserver_admission_webhook_fail_open_count") &&
        failures(names, "apiserver_validating_admission_policy_check_total")
      );
    });
    await requestCertificate();
    const before = await exposed();
    await createPods(8);
    await failurePolicy("Fail");
    await eventually("the API server refuses for the webhook", 60, async () => {
      await createPods(1);
      return [...(await exposed()).keys()].some((series) =>
        [REJECTIONS, ...NO_ANSWER].every((part) => series.includes(part)),
      );
    });
    await failurePolicy("Ignore");
    await requestCertificate();
    const after = await exposed();

    const absent = [...usedNames()].filter((metric) => !namesOf(after).has(metric));
    assert.deepEqual(absent.sort(), FROM_SOURCE);
    await promtool(groups, [
      scenario(Math.round(Date.now() / 1000), replay(usedNames(), SAMPLES, before, after), {
        "LinkerdWebhookFailingOpen warning": 1,
        "LinkerdWebhookRefusing critical": 1,
        "LinkerdGuardDenying critical": 1,
        "LinkerdIdentityRefuses critical": 1,
      }),
    ]);
  });
});
