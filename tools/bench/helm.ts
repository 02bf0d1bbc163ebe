import type { Tool } from "../sandbox/build/manifest";
import { singleTool, type Toolset } from "../sandbox/build/artifact";

const HELM: Tool = {
  name: "helm",
  module: "helm",
  package: "helm.sh/helm/v3/cmd/helm",
  variables: { "helm.sh/helm/v3/internal/version.version": "v3.22.0" },
};

/** Helm's command line, which only the scripts that are compared use. The tool is the path of its binary. */
export function helmTool(): Promise<Toolset<string>> {
  return singleTool(HELM);
}
