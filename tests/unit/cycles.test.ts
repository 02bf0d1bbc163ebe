import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

import { preProcessFile } from "typescript";

import { PROJECT } from "../../tools/shared/paths";

/** Endings of what an import can mean. */
const ENDINGS = [".ts", ".tsx", "/index.ts"];

/** The program's files and the tools', as paths in the checkout. */
function files(): string[] {
  const folders = ["components", "config", "apps", "policy", "tools"].flatMap((folder) =>
    readdirSync(join(PROJECT, folder), { recursive: true, encoding: "utf8" }).map((file) =>
      join(folder, file),
    ),
  );
  return ["index.ts", ...folders].filter((file) => /\.tsx?$/.test(file));
}

/** The files of the checkout that it imports, its types too. */
function imports(file: string): string[] {
  const path = join(PROJECT, file);
  return preProcessFile(readFileSync(path, "utf8"))
    .importedFiles.filter(({ fileName }) => fileName.startsWith("."))
    .flatMap(({ fileName }) => {
      const target = join(dirname(path), fileName.replace(/\.js$/, ""));
      return ENDINGS.map((ending) => `${target}${ending}`).filter(existsSync);
    })
    .map((target) => relative(PROJECT, target));
}

/** A circle of files each of which imports the next one; undefined where there is none. */
function circle(graph: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): readonly string[] | undefined => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
    if (done.has(file)) return undefined;
    done.add(file);
    for (const next of graph.get(file) ?? []) {
      const found = visit(next, [...way, file]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  for (const file of graph.keys()) {
    const found = visit(file, []);
    if (found !== undefined) return found;
  }
  return undefined;
}

describe("imports", () => {
  it("never go in a circle", () => {
    const graph = new Map(files().map((file) => [file, imports(file)]));
    assert((graph.get("index.ts") ?? []).includes("components/index.ts"));
    assert.equal(circle(graph), undefined);
  });
});
