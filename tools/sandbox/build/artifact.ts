import { join } from "node:path";
import { cacheFolder } from "./cache";
import { compile, SETTINGS } from "./compile";
import type { Tool } from "./manifest";

/** Tools, and the files that must exist before they can be used. */
export interface Toolset<T> {
  readonly tools: T;
  readonly artifacts: readonly Artifact[];
}

/** One file or folder of the cache and how it is made. */
export interface Artifact {
  readonly title: string;
  /** The Go module that it comes from; artifacts of one module are made in their order. */
  readonly module: string;
  readonly path: string;
  readonly make: (path: string, signal: AbortSignal) => Promise<void>;
}

/** The binary of a tool. */
export async function binary(tool: Tool): Promise<Artifact> {
  const { name, module } = tool;
  return {
    title: name,
    module,
    path: join(await cacheFolder(name, module, [tool, SETTINGS]), name),
    make: (path, signal) => compile(tool, path, signal),
  };
}

/** A toolset of one tool, which is the path of its binary. */
export async function singleTool(tool: Tool): Promise<Toolset<string>> {
  const artifact = await binary(tool);
  return { tools: artifact.path, artifacts: [artifact] };
}
