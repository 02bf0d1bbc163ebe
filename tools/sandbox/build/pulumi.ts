import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../shared/run";
import { type Artifact, binary, type Toolset } from "./artifact";
import { cacheFolder } from "./cache";
import { ENGINE, PLUGIN_VERSIONS, PLUGINS, PULUMI_VERSION } from "./manifest";
import { isUsable } from "./version";

/** What a deployment needs, beside Node.js and this checkout. */
export interface PulumiTools {
  /**
   * PULUMI_HOME with the plugins, and with the CLI in its `bin`, as they were built here; undefined to use those on PATH.
   */
  readonly home: string | undefined;
}

/** Pulumi's CLI and plugins, built unless PATH has ones of the SDKs' versions or newer. */
export async function pulumiTools(): Promise<Toolset<PulumiTools>> {
  if (await isInstalled()) return { tools: { home: undefined }, artifacts: [] };
  const engine = await binary(ENGINE);
  const plugins = await Promise.all(
    Object.entries(PLUGINS).map(async ([name, tool]) => ({ name, artifact: await binary(tool) })),
  );
  const binaries = [engine, ...plugins.map(({ artifact }) => artifact)];
  const home = await cacheFolder(
    "pulumi-home",
    ENGINE.module,
    binaries.map(({ path }) => path),
  );
  return {
    tools: { home },
    artifacts: [
      ...binaries,
      launcher(engine, join(home, "bin", "pulumi")),
      ...plugins.map(({ name, artifact }) => {
        const folder = `resource-${name}-v${PLUGIN_VERSIONS[name] ?? ""}`;
        return launcher(artifact, join(home, "plugins", folder, artifact.title));
      }),
      analyzer(home),
    ],
  };
}

/**
 * A script that becomes the binary and, where the system can, asks the kernel to end it with the process that started it.
 * Without the program, Pulumi's CLI would wait for the cluster for minutes, and plugins would never end.
 */
function launcher({ title, module, path: binary }: Artifact, path: string): Artifact {
  const script = [
    "#!/bin/sh",
    `command -v setpriv >/dev/null && exec setpriv --pdeathsig KILL -- '${binary}' "$@"`,
    `exec '${binary}' "$@"`,
  ];
  return {
    title: `launcher of ${title}`,
    module,
    path,
    make: (file) => writeFile(file, `${script.join("\n")}\n`, { mode: 0o755 }),
  };
}

/**
 * A script that starts a policy pack, in the pack's folder. An ordinary installation of Pulumi has a plugin for programs in
 * Node.js, which does the same; it is no Go module, and without it the engine looks for this one.
 */
function analyzer(home: string): Artifact {
  const title = "pulumi-analyzer-policy-nodejs";
  const script = [
    "#!/bin/sh",
    `exec node "$(node -p "require.resolve('@pulumi/pulumi/cmd/run-policy-pack')")" "$@"`,
  ];
  return {
    title,
    module: ENGINE.module,
    path: join(home, "plugins", `analyzer-policy-nodejs-v${PULUMI_VERSION}`, title),
    make: (file) => writeFile(file, `${script.join("\n")}\n`, { mode: 0o755 }),
  };
}

/** Whether PATH has Pulumi's CLI and each plugin, of the SDKs' versions or newer ones. */
async function isInstalled(): Promise<boolean> {
  try {
    const version = await run("pulumi", ["version"]);
    const installed = JSON.parse(await run("pulumi", ["plugin", "ls", "--json"])) as {
      name: string;
      version: string;
    }[];
    return (
      isUsable(version, PULUMI_VERSION) &&
      Object.entries(PLUGIN_VERSIONS).every(([name, wanted]) =>
        installed.some((plugin) => plugin.name === name && isUsable(plugin.version, wanted)),
      )
    );
  } catch {
    return false; // not installed, or it does not work: then it is built
  }
}
