import { dependencies } from "../../../package.json";

/** One binary, built from a Go module of `tools/sandbox/toolchain`. */
export interface Tool {
  /** File name of the binary. */
  readonly name: string;
  /** Folder of the module that pins it, below `tools/sandbox/toolchain`. */
  readonly module: string;
  /** Import path, or a path relative to the module. */
  readonly package: string;
  /** Build tags, where something is left out. */
  readonly tags?: readonly string[];
  /** Go variables that the linker sets, for instance to the version that the tool reports. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** Pulumi's SDK and its plugins, by plugin name: a plugin must report the version of the package that asks for it. */
export const PULUMI_VERSION = dependencies["@pulumi/pulumi"];
export const PLUGIN_VERSIONS: Readonly<Record<string, string>> = {
  kubernetes: dependencies["@pulumi/kubernetes"],
  random: dependencies["@pulumi/random"],
  tls: dependencies["@pulumi/tls"],
};

/** The release of Linkerd that the sandbox runs: the newest whose controllers exist as a Go module. */
export const LINKERD_RELEASE = "edge-23.4.3";

/** The release of cert-manager: the newest whose programs exist in one Go module. */
export const CERT_MANAGER_RELEASE = "v1.11.5";

/** The release of trust-manager. */
export const TRUST_MANAGER_RELEASE = "v0.25.0";

/** The Kubernetes release that `toolchain/kubernetes` pins. */
export const KUBERNETES_RELEASE = "1.36.3";

/** The plugin NAME as a tool. */
function plugin(name: string): Tool {
  const binary = `pulumi-resource-${name}`;
  return {
    name: binary,
    module: "pulumi",
    package: `./${binary}`,
    variables: { "main.version": PLUGIN_VERSIONS[name] ?? "" },
  };
}

/** What the engine writes into a state as its version. */
export const ENGINE_VERSION = {
  "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": `v${PULUMI_VERSION}`,
};

/** Pulumi's CLI with the engine. */
export const ENGINE: Tool = {
  name: "pulumi",
  module: "pulumi",
  package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
  variables: ENGINE_VERSION,
};

/** The plugins, by name. */
export const PLUGINS: Readonly<Record<string, Tool>> = {
  kubernetes: plugin("kubernetes"),
  tls: plugin("tls"),
  random: plugin("random"),
};

const LINKERD_VERSION = { "github.com/linkerd/linkerd2/pkg/version.Version": LINKERD_RELEASE };

const [KUBERNETES_MAJOR = "", KUBERNETES_MINOR = ""] = KUBERNETES_RELEASE.split(".");

/** What every sandbox runs. */
export const SANDBOX_TOOLS = {
  kubernetes: {
    name: "kubernetes",
    module: "kubernetes",
    package: ".",
    variables: {
      "k8s.io/component-base/version.gitVersion": `v${KUBERNETES_RELEASE}`,
      "k8s.io/component-base/version.gitMajor": KUBERNETES_MAJOR,
      "k8s.io/component-base/version.gitMinor": KUBERNETES_MINOR,
    },
  },
  kwok: { name: "kwok", module: "kubernetes", package: "sigs.k8s.io/kwok/cmd/kwok" },
  "linkerd-controller": {
    name: "linkerd-controller",
    module: "kubernetes",
    package: "github.com/linkerd/linkerd2/controller/cmd",
    variables: LINKERD_VERSION,
  },
} as const satisfies Readonly<Record<string, Tool>>;

/** What only some stacks and tests run. */
export const OPTIONAL_TOOLS = {
  linkerd: {
    name: "linkerd",
    module: "linkerd-cli",
    package: "github.com/linkerd/linkerd2/cli",
    variables: LINKERD_VERSION,
  },
  "linkerd-tap": {
    name: "linkerd-tap",
    module: "kubernetes",
    package: "github.com/linkerd/linkerd2/viz/tap/cmd",
    variables: LINKERD_VERSION,
  },
  "linkerd-chains": { name: "linkerd-chains", module: "kubernetes", package: "./linkerd-chains" },
  "cert-manager": {
    name: "cert-manager",
    module: "cert-manager",
    package: ".",
    variables: { "github.com/cert-manager/cert-manager/pkg/util.AppVersion": CERT_MANAGER_RELEASE },
  },
  "trust-manager": {
    name: "trust-manager",
    module: "trust-manager",
    package: "github.com/cert-manager/trust-manager/cmd/trust-manager",
  },
  promtool: {
    name: "promtool",
    module: "promtool",
    package: "github.com/prometheus/prometheus/cmd/promtool",
    // Without the SDKs of all clouds, whose services Prometheus would discover.
    tags: ["remove_all_sd"],
  },
} as const satisfies Readonly<Record<string, Tool>>;

/** The name of one of them. */
export type OptionalTool = keyof typeof OPTIONAL_TOOLS;
