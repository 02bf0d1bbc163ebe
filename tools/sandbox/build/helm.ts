import { singleTool, type Toolset } from "./artifact";
import type { Tool } from "./manifest";

const HELM: Tool = {
  name: "helm",
  module: "helm",
  package: "helm.sh/helm/v3/cmd/helm",
  variables: { "helm.sh/helm/v3/internal/version.version": "v3.22.0" },
};

/** Helm's command line, with which the benchmark's scripts, and others in proofs, install Linkerd. The tool is the path of its binary. */
export function helmTool(): Promise<Toolset<string>> {
  return singleTool(HELM);
}
