import { mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";

import { PLUGINS, PLUGIN_VERSIONS } from "../../../tools/sandbox/build/manifest";
import { pulumiTools } from "../../../tools/sandbox/build/pulumi";
import { type InstancePaths, PROJECT } from "../../../tools/shared/paths";
import type { Environment } from "./refusal";

/**
 * Environment with which a command deploys to that sandbox by a provider that refuses to create an object that exists. The
 * provider from 4.29 on does so, where the one of this checkout takes over what it finds.
 */
export async function refusingProvider(
  paths: InstancePaths,
): Promise<Environment & { readonly PATH: string }> {
  const plugin = PLUGINS.kubernetes?.name ?? "";
  const { tools } = await pulumiTools();
  const folder = join(paths.root, "refusing-provider");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // It ends with the engine, as the sandbox's other plugins do.
  const command = `setpriv --pdeathsig KILL -- '${process.execPath}' --require ./typescript.cjs '${join(__dirname, "main.ts")}'`;
  const script = `#!/bin/sh\ncd '${PROJECT}' && exec ${command} "$@"\n`;
  // The engine looks for plugins on PATH first.
  await writeFile(join(folder, plugin), script, { mode: 0o755 });
  return {
    PATH: [folder, process.env.PATH].join(delimiter),
    REFUSING_KUBECONFIG: paths.kubeconfig,
    REFUSING_PROVIDER: join(
      tools.home ?? "",
      "plugins",
      `resource-kubernetes-v${PLUGIN_VERSIONS.kubernetes ?? ""}`,
      plugin,
    ),
  };
}
