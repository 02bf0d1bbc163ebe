import { Listr, type ListrTask } from "listr2";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CACHE, TOOLCHAIN } from "../../shared/paths";
import { run } from "../../shared/run";
import {
  writeCertManagerChart,
  writeCharts,
  writeSources,
  writeStages,
  writeTrustManagerChart,
} from "./data";
import { build, requireGo } from "./go";
import {
  PLUGIN_VERSIONS,
  PULUMI_TOOLS,
  PULUMI_VERSION,
  SANDBOX_TOOLS,
  STATE_TOOL,
  type Tool,
} from "./manifest";

/** What a deployment needs, beside Node.js and this checkout. */
export interface PulumiTools {
  /**
   * PULUMI_HOME with the plugins, and with the CLI in its `bin`, as they were built here; undefined where the machine has
   * fitting ones.
   */
  readonly home: string | undefined;
}

/** What the sandbox runs, as absolute paths. */
export interface SandboxTools {
  readonly kubernetes: string;
  readonly kubectl: string;
  readonly kwok: string;
  readonly kwokStages: string;
  readonly linkerd: string;
  readonly linkerdController: string;
  /** The viz extension's tap and tap injector. */
  readonly linkerdTap: string;
  readonly certManager: string;
  readonly trustManager: string;
  /** The folders of the charts that the program installs: Linkerd's, cert-manager's and trust-manager's. */
  readonly charts: string;
  readonly certManagerCharts: string;
  readonly trustManagerCharts: string;
  /** The folder in which Linkerd's controllers and CLI must run to find their templates. */
  readonly linkerdSources: string;
}

/** Tools, and the files that must be there before they can be used. */
export interface Toolset<T> {
  readonly tools: T;
  readonly artifacts: readonly Artifact[];
}

/** One file or folder of the cache and how it is made. */
export interface Artifact {
  readonly title: string;
  readonly path: string;
  readonly make: (path: string, signal: AbortSignal) => Promise<void>;
}

/** The cache folder of a module: other contents, another platform or other build settings are another folder. */
async function cacheOf(module: string): Promise<string> {
  const tools = [...PULUMI_TOOLS, STATE_TOOL, ...SANDBOX_TOOLS].filter((tool) => tool.module === module);
  const hash = createHash("sha256").update(JSON.stringify([process.platform, process.arch, tools]));
  const root = join(TOOLCHAIN, module);
  const files = (await readdir(root, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.sort()) {
    hash.update(file.slice(root.length)).update(await readFile(file));
  }
  return join(CACHE, `${module}-${hash.digest("hex").slice(0, 16)}`);
}

/** The folder of what `data.ts` writes from a module's sources: other code is another folder. */
async function dataOf(module: string): Promise<string> {
  const code = createHash("sha256").update(await readFile(join(__dirname, "data.ts")));
  return join(await cacheOf(module), `data-${code.digest("hex").slice(0, 16)}`);
}

export async function binary(tool: Tool): Promise<Artifact> {
  return {
    title: tool.name,
    path: join(await cacheOf(tool.module), tool.name, "bin", tool.name),
    make: (path, signal) => build(tool, path, signal),
  };
}

/**
 * Makes what is missing, one after the other, and shows which, how many of how many, and for how long. Each artifact
 * appears whole or not at all, so an interrupted build is continued by the next call.
 */
export async function prepare(toolsets: readonly Toolset<unknown>[], signal: AbortSignal): Promise<void> {
  const missing = toolsets
    .flatMap(({ artifacts }) => artifacts)
    .filter((artifact) => !existsSync(artifact.path));
  if (missing.length === 0) return;
  await requireGo();
  console.log("Building the tools, once for this version of them (some 20 minutes with two cores).");
  const began = Date.now();
  const tasks = missing.map(({ title, path, make }, index): ListrTask => {
    const counted = `[${index + 1}/${missing.length}] ${title}`;
    return {
      title: counted,
      task: async (_, task) => {
        const unfinished = `${path}.${process.pid}`;
        const clock = setInterval(() => (task.title = `${counted} ${elapsed(began)}`), 1000);
        try {
          await mkdir(dirname(path), { recursive: true });
          await make(unfinished, signal);
          await rename(unfinished, path).catch((error: unknown) => {
            // Another process has made the same in the meantime.
            if (!existsSync(path)) throw error;
          });
        } finally {
          clearInterval(clock);
          await rm(unfinished, { recursive: true, force: true });
        }
      },
    };
  });
  await new Listr(tasks, {
    rendererOptions: { collapseErrors: false },
    registerSignalListeners: false,
  }).run();
}

function elapsed(since: number): string {
  const seconds = Math.round((Date.now() - since) / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** The tools of the sandbox. */
export async function sandboxTools(): Promise<Toolset<SandboxTools>> {
  const binaries = await Promise.all(SANDBOX_TOOLS.map(binary));
  const pathOf = (name: string) => binaries.find((artifact) => artifact.title === name)?.path ?? name;
  const [kubernetes, linkerd] = [await cacheOf("kubernetes"), await dataOf("linkerd")];
  const tools: SandboxTools = {
    kubernetes: pathOf("kubernetes"),
    kubectl: join(kubernetes, "kubectl", "bin", "kubectl"),
    kwok: pathOf("kwok"),
    kwokStages: join(await dataOf("kubernetes"), "kwok-stages.yaml"),
    linkerd: pathOf("linkerd"),
    linkerdController: pathOf("linkerd-controller"),
    linkerdTap: pathOf("linkerd-tap"),
    certManager: pathOf("cert-manager"),
    trustManager: pathOf("trust-manager"),
    charts: join(linkerd, "charts"),
    certManagerCharts: join(await dataOf("cert-manager"), "charts"),
    trustManagerCharts: join(await dataOf("trust-manager"), "charts"),
    linkerdSources: join(linkerd, "sources"),
  };
  return {
    tools,
    artifacts: [
      ...binaries,
      { title: "kubectl", path: tools.kubectl, make: (path) => symlink(tools.kubernetes, path) },
      { title: "stages of kwok", path: tools.kwokStages, make: writeStages },
      { title: "charts of Linkerd", path: tools.charts, make: writeCharts },
      { title: "chart of cert-manager", path: tools.certManagerCharts, make: writeCertManagerChart },
      { title: "chart of trust-manager", path: tools.trustManagerCharts, make: writeTrustManagerChart },
      { title: "templates of Linkerd", path: tools.linkerdSources, make: writeSources },
    ],
  };
}

/** Pulumi's CLI and plugins, built unless the machine has fitting ones. */
export async function pulumiTools(): Promise<Toolset<PulumiTools>> {
  if (await machineHasPulumi()) return { tools: { home: undefined }, artifacts: [] };
  const binaries = await Promise.all(PULUMI_TOOLS.map(binary));
  const pulumi = await cacheOf("pulumi");
  const home = join(await cacheOf("bridge"), `launched-${basename(pulumi)}`);
  const plugins = binaries.flatMap(({ title, path }): Artifact[] => {
    const name = title.replace("pulumi-resource-", "");
    const version = PLUGIN_VERSIONS[name];
    if (version === undefined) return []; // the CLI itself
    const installed = join(home, "plugins", `resource-${name}-v${version}`, title);
    return [
      { title: `plugin ${name} ${version}`, path: installed, make: (file) => writeLauncher(file, path) },
    ];
  });
  const cli = join(pulumi, "pulumi", "bin", "pulumi");
  const launcher: Artifact = {
    title: "launcher of pulumi",
    path: join(home, "bin", "pulumi"),
    make: (file) => writeLauncher(file, cli),
  };
  return { tools: { home }, artifacts: [...binaries, ...plugins, launcher] };
}

/**
 * Writes a script that becomes the binary and, where the system can, asks the kernel to end it with the process that
 * started it. Without the program, Pulumi's CLI would go on waiting for the cluster for minutes, and plugins for ever.
 */
async function writeLauncher(file: string, binary: string): Promise<void> {
  const script = [
    "#!/bin/sh",
    `command -v setpriv >/dev/null && exec setpriv --pdeathsig KILL -- '${binary}' "$@"`,
    `exec '${binary}' "$@"`,
  ];
  await writeFile(file, `${script.join("\n")}\n`, { mode: 0o755 });
}

/** Whether PATH has Pulumi's CLI and plugins of exactly the SDKs' versions: what keeps the state is of that version too. */
async function machineHasPulumi(): Promise<boolean> {
  try {
    const version = await run("pulumi", ["version"]);
    const installed = JSON.parse(await run("pulumi", ["plugin", "ls", "--json"])) as {
      name: string;
      version: string;
    }[];
    return (
      version.trim() === `v${PULUMI_VERSION}` &&
      Object.entries(PLUGIN_VERSIONS).every(([name, wanted]) =>
        installed.some((plugin) => plugin.name === name && plugin.version === wanted),
      )
    );
  } catch {
    return false; // not there, or not usable: then it is built
  }
}
