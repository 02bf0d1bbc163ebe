import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { TOOLCHAIN } from "../../shared/paths";
import { cacheFolder, makeOnce } from "./cache";
import { go, sourceOf } from "./go";

/**
 * Dependencies of which a module's tools use a part, by module: `toolchain/MODULE/_trimmed/DEPENDENCY` has a small file in
 * place of each one that draws in what they never call, and that takes long to compile.
 */
const TRIMMED: Readonly<Record<string, readonly string[]>> = {
  pulumi: ["gocloud.dev", "github.com/pulumi/pulumi/pkg/v3"],
};

/**
 * Options of `go build` that make it compile copies of a module's trimmed dependencies. The copies are kept, because Go
 * compiles what is in another folder again. An overlay, Go's own way, is not for files of its module cache.
 */
export async function trimmed(module: string, signal: AbortSignal): Promise<string[]> {
  const dependencies = TRIMMED[module];
  if (dependencies === undefined) return [];
  const root = join(TOOLCHAIN, module);
  const path = await cacheFolder(`${module}-trimmed`, module, dependencies);
  const make = async (copies: string) => {
    const replacements: string[] = [];
    for (const dependency of dependencies) {
      await copyFiles((await sourceOf(dependency, module, signal)).directory, join(copies, dependency));
      await copyFiles(join(root, "_trimmed", dependency), join(copies, dependency));
      replacements.push(`-replace=${dependency}=${join(path, dependency)}`);
    }
    await copyFile(join(root, "go.sum"), join(copies, "go.sum"));
    await copyFile(join(root, "go.mod"), join(copies, "go.mod"));
    await go(module, ["mod", "edit", ...replacements, join(copies, "go.mod")], signal);
  };
  await makeOnce({ path, make }, signal);
  return [`-modfile=${join(path, "go.mod")}`];
}

/** Copies all files but those of tests. The copies can be written, while the module cache is read-only. */
async function copyFiles(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (!entry.isFile() || /\/testdata\/|_test\.go$/.test(file)) continue;
    const copy = join(to, relative(from, file));
    await mkdir(dirname(copy), { recursive: true });
    await writeFile(copy, await readFile(file));
  }
}
