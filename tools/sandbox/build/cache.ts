import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CACHE, TOOLCHAIN } from "../../shared/paths";

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

/** Makes a file or folder of the cache unless it exists. It appears whole or not at all. */
export async function makeOnce(
  { path, make }: { path: string; make: (path: string, signal: AbortSignal) => Promise<void> },
  signal: AbortSignal,
): Promise<void> {
  if (existsSync(path)) return;
  const unfinished = `${path}.${process.pid}`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await make(unfinished, signal);
    await rename(unfinished, path).catch((error: unknown) => {
      // Another process has made the same in the meantime.
      if (!existsSync(path)) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}
