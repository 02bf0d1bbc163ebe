import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { CACHE, TOOLCHAIN } from "../../shared/paths";
import { build, SETTINGS } from "./go";
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
    make: (path, signal) => build(tool, path, signal),
  };
}

/** A toolset of one tool, which is the path of its binary. */
export async function singleTool(tool: Tool): Promise<Toolset<string>> {
  const artifact = await binary(tool);
  return { tools: artifact.path, artifacts: [artifact] };
}

/**
 * A folder of the cache. Its name has a hash, so that each change makes another folder.
 *
 * @param name What it holds.
 * @param module The Go module that it is made from, whose files are part of the hash.
 * @param made How it is made: part of the hash, too.
 */
export async function cacheFolder(name: string, module: string, made: unknown): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify([process.platform, process.arch, made]));
  const root = join(TOOLCHAIN, module);
  const files = (await readdir(root, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && !entry.name.endsWith("_test.go"))
    .map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.sort()) {
    hash.update(file.slice(root.length)).update(await readFile(file));
  }
  return join(CACHE, `${name}-${hash.digest("hex").slice(0, 16)}`);
}
