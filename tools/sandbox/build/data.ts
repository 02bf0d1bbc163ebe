import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { parse, stringify } from "yaml";
import { type Source, sourceOf } from "./go";
import { CERT_MANAGER_RELEASE, LINKERD_RELEASE, TRUST_MANAGER_RELEASE } from "./manifest";

/** How kwok brings a node and pods up: at once, with a heartbeat for the node. */
const KWOK_STAGES = [
  "node/fast/node-initialize.yaml",
  "node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
  "pod/fast/pod-ready.yaml",
  "pod/fast/pod-complete.yaml",
  "pod/fast/pod-delete.yaml",
];

/** Where Linkerd's sources keep the charts that the program installs. */
const CHARTS = ["charts/linkerd-crds", "charts/linkerd-control-plane", "viz/charts/linkerd-viz"];

/** Writes kwok's own stages as one file. */
export async function writeStages(file: string, signal: AbortSignal): Promise<void> {
  const { directory } = await sourceOf("sigs.k8s.io/kwok", "kubernetes", signal);
  const stages = join(directory, "kustomize", "stage");
  const documents = await Promise.all(KWOK_STAGES.map((name) => readFile(join(stages, name), "utf8")));
  await writeFile(file, documents.join("\n---\n"));
}

/** Puts the release in place of the placeholders in Linkerd's sources. */
function released(text: string): string {
  return text.replaceAll("linkerdVersionValue", LINKERD_RELEASE).replaceAll("edge-XX.X.X", LINKERD_RELEASE);
}

/**
 * Writes Linkerd's charts as its release process does: with their common part inside each, and with the release in
 * place of the placeholder.
 */
export async function writeCharts(directory: string, signal: AbortSignal): Promise<void> {
  const source = (await linkerd(signal)).directory;
  for (const chart of CHARTS) {
    const target = join(directory, basename(chart));
    await copy(join(source, chart), target, released);
    await copy(join(source, "charts", "partials"), join(target, "charts", "partials"), released);
  }
}

/** Where Linkerd's sources keep charts: its own and its extensions'. */
const CHART_FOLDERS = ["charts", "jaeger/charts", "multicluster/charts", "viz/charts"];

/**
 * Writes the templates that Linkerd's controllers and CLI read while they run. A binary built without paths of this
 * machine looks for them below its working folder, by the name of the module.
 */
export async function writeSources(directory: string, signal: AbortSignal): Promise<void> {
  const source = await linkerd(signal);
  for (const folder of CHART_FOLDERS) {
    await copy(join(source.directory, folder), join(directory, source.id, folder), released);
  }
}

/**
 * Writes cert-manager's chart as its release process does: with the custom resource definitions as a template, and with
 * the release in place of the placeholders.
 */
export async function writeCertManagerChart(directory: string, signal: AbortSignal): Promise<void> {
  const { directory: source } = await sourceOf(
    "github.com/cert-manager/cert-manager",
    "cert-manager",
    signal,
  );
  const chart = join(directory, "cert-manager");
  await copy(join(source, "deploy", "charts", "cert-manager"), chart);
  const description = parse(await readFile(join(chart, "Chart.template.yaml"), "utf8")) as object;
  await rm(join(chart, "Chart.template.yaml"));
  await writeFile(
    join(chart, "Chart.yaml"),
    stringify({ ...description, ...versions(CERT_MANAGER_RELEASE) }),
  );
  const definitions = join(source, "deploy", "crds");
  const names = (await readdir(definitions)).filter((name) => name.endsWith(".yaml")).sort();
  const documents = await Promise.all(names.map((name) => readFile(join(definitions, name), "utf8")));
  await writeFile(
    join(chart, "templates", "crds.yaml"),
    ["{{- if .Values.installCRDs }}", documents.join("\n---\n"), "{{- end }}\n"].join("\n"),
  );
}

/**
 * What trust-manager's chart wants of a cert-manager that is newer than the sandbox's, and what older charts had instead:
 * the CA of its webhook comes from the Certificate, and not from the Secret.
 */
const TRUST_MANAGER_CHANGES: readonly (readonly [string, string])[] = [
  ['(dict "cert-manager.io/allow-direct-injection" "true")', "(dict)"],
  [
    'cert-manager.io/inject-ca-from-secret: "{{ include "trust-manager.namespace" . }}/{{ include "trust-manager.name" . }}-tls"',
    'cert-manager.io/inject-ca-from: "{{ include "trust-manager.namespace" . }}/{{ include "trust-manager.name" . }}"',
  ],
];

/** Writes trust-manager's chart, for the sandbox's cert-manager, with the release in place of the placeholders. */
export async function writeTrustManagerChart(directory: string, signal: AbortSignal): Promise<void> {
  const { directory: source } = await sourceOf(
    "github.com/cert-manager/trust-manager",
    "trust-manager",
    signal,
  );
  const chart = join(directory, "trust-manager");
  await copy(join(source, "deploy", "charts", "trust-manager"), chart, (text) =>
    TRUST_MANAGER_CHANGES.reduce((changed, [from, to]) => changed.replaceAll(from, to), text),
  );
  const description = parse(await readFile(join(chart, "Chart.yaml"), "utf8")) as object;
  await writeFile(
    join(chart, "Chart.yaml"),
    stringify({ ...description, ...versions(TRUST_MANAGER_RELEASE) }),
  );
}

/** Writes the custom resource definition PrometheusRule, as the Prometheus operator's users install it. */
export async function writePrometheusRuleDefinition(file: string, signal: AbortSignal): Promise<void> {
  const module = "github.com/prometheus-operator/prometheus-operator";
  const { directory } = await sourceOf(module, "promtool", signal);
  const name = "monitoring.coreos.com_prometheusrules.yaml";
  await writeFile(file, await readFile(join(directory, "example", "prometheus-operator-crd", name)));
}

/** What a release process writes into a chart's description. */
function versions(release: string): { version: string; appVersion: string } {
  return { version: release, appVersion: release };
}

function linkerd(signal: AbortSignal): Promise<Source> {
  return sourceOf("github.com/linkerd/linkerd2", "kubernetes", signal);
}

/** Copies text files. The module cache is read-only, so permissions are not copied with them. */
async function copy(
  source: string,
  target: string,
  change: (text: string) => string = (text) => text,
): Promise<void> {
  for (const entry of await readdir(source, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const copied = join(target, relative(source, file));
    await mkdir(dirname(copied), { recursive: true });
    await writeFile(copied, change(await readFile(file, "utf8")));
  }
}
