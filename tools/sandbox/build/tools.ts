import { readFile, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Artifact, binary, type Toolset } from "./artifact";
import { cacheFolder } from "./cache";
import {
  writeCertManagerChart,
  writeCharts,
  writePrometheusRuleDefinition,
  writeSources,
  writeStages,
  writeTrustManagerChart,
} from "./data";
import {
  CERT_MANAGER_RELEASE,
  LINKERD_RELEASE,
  OPTIONAL_TOOLS,
  type OptionalTool,
  SANDBOX_TOOLS,
  type Tool,
  TRUST_MANAGER_RELEASE,
} from "./manifest";

/** What the sandbox runs, as absolute paths. Those of optional tools need not exist. */
export interface SandboxTools {
  readonly kubernetes: string;
  readonly kubectl: string;
  readonly kwok: string;
  readonly kwokStages: string;
  /** Linkerd's CLI. */
  readonly linkerd: string;
  readonly linkerdController: string;
  /** The viz extension's tap and tap injector. */
  readonly linkerdTap: string;
  readonly certManager: string;
  readonly trustManager: string;
  /** Checks and tests rules of Prometheus. */
  readonly promtool: string;
  /** The folders of the charts that the program installs: Linkerd's, cert-manager's and trust-manager's. */
  readonly charts: string;
  readonly certManagerCharts: string;
  readonly trustManagerCharts: string;
  /** The custom resource definition PrometheusRule. */
  readonly prometheusRuleDefinition: string;
  /** The folder in which Linkerd's controllers and CLI must run to find their templates. */
  readonly linkerdSources: string;
}

/** Every optional tool. */
export const ALL_TOOLS = Object.keys(OPTIONAL_TOOLS) as OptionalTool[];

/**
 * The tools of the sandbox.
 *
 * @param needed Which of the optional ones are prepared, too.
 */
export async function sandboxTools(needed: readonly OptionalTool[] = []): Promise<Toolset<SandboxTools>> {
  const core = await binaries(SANDBOX_TOOLS);
  const optional = await binaries(OPTIONAL_TOOLS);
  const kubernetes = await dataFolder("kubernetes");
  const tools: SandboxTools = {
    kubernetes: core.kubernetes.path,
    kubectl: join(dirname(core.kubernetes.path), "kubectl"),
    kwok: core.kwok.path,
    kwokStages: join(kubernetes, "kwok-stages.yaml"),
    linkerd: optional.linkerd.path,
    linkerdController: core["linkerd-controller"].path,
    linkerdTap: optional["linkerd-tap"].path,
    certManager: optional["cert-manager"].path,
    trustManager: optional["trust-manager"].path,
    promtool: optional.promtool.path,
    charts: join(kubernetes, "charts"),
    certManagerCharts: join(await dataFolder("cert-manager"), "charts"),
    trustManagerCharts: join(await dataFolder("trust-manager"), "charts"),
    linkerdSources: join(kubernetes, "sources"),
    prometheusRuleDefinition: join(await dataFolder("promtool"), "prometheusrules.yaml"),
  };
  const data = (module: string, title: string, path: string, make: Artifact["make"]): Artifact => {
    return { title, module, path, make };
  };
  const beside: Partial<Record<OptionalTool, Artifact>> = {
    "cert-manager": data("cert-manager", "its chart", tools.certManagerCharts, writeCertManagerChart),
    "trust-manager": data("trust-manager", "its chart", tools.trustManagerCharts, writeTrustManagerChart),
    promtool: data(
      "promtool",
      "the definition of PrometheusRule",
      tools.prometheusRuleDefinition,
      writePrometheusRuleDefinition,
    ),
  };
  return {
    tools,
    artifacts: [
      ...Object.values(core),
      data("kubernetes", "kubectl", tools.kubectl, (path) => symlink(tools.kubernetes, path)),
      data("kubernetes", "stages of kwok", tools.kwokStages, writeStages),
      data("kubernetes", "charts of Linkerd", tools.charts, writeCharts),
      data("kubernetes", "templates of Linkerd", tools.linkerdSources, writeSources),
      ...needed.flatMap((name) => [optional[name], beside[name] ?? []].flat()),
    ],
  };
}

async function binaries<Name extends string>(
  tools: Readonly<Record<Name, Tool>>,
): Promise<Readonly<Record<Name, Artifact>>> {
  const entries = Object.entries<Tool>(tools).map(
    async ([name, tool]) => [name, await binary(tool)] as const,
  );
  return Object.fromEntries(await Promise.all(entries)) as Record<Name, Artifact>;
}

/** The folder of what `data.ts` writes from a module's sources. */
async function dataFolder(module: string): Promise<string> {
  const code = await readFile(join(__dirname, "data.ts"), "utf8");
  const releases = [LINKERD_RELEASE, CERT_MANAGER_RELEASE, TRUST_MANAGER_RELEASE];
  return cacheFolder(`${module}-data`, module, [code, releases]);
}
