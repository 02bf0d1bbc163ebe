import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { type Source, sourceOf } from "./go";
import { LINKERD_RELEASE } from "./manifest";

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

/**
 * Writes Linkerd's charts as its release process does: with their common part inside each, and with the release in
 * place of the placeholder.
 */
export async function writeCharts(directory: string, signal: AbortSignal): Promise<void> {
  const source = (await linkerd(signal)).directory;
  for (const chart of CHARTS) {
    const target = join(directory, basename(chart));
    await copy(join(source, chart), target);
    await copy(join(source, "charts", "partials"), join(target, "charts", "partials"));
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
    await copy(join(source.directory, folder), join(directory, source.id, folder));
  }
}

function linkerd(signal: AbortSignal): Promise<Source> {
  return sourceOf("github.com/linkerd/linkerd2", "linkerd", signal);
}

/** Copies text files. The module cache is read-only, so permissions are not copied with them. */
async function copy(source: string, target: string): Promise<void> {
  for (const entry of await readdir(source, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const copied = join(target, relative(source, file));
    const text = await readFile(file, "utf8");
    await mkdir(dirname(copied), { recursive: true });
    await writeFile(
      copied,
      text.replaceAll("linkerdVersionValue", LINKERD_RELEASE).replaceAll("edge-XX.X.X", LINKERD_RELEASE),
    );
  }
}
