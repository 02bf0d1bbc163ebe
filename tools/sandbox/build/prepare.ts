import { Listr, type ListrTask } from "listr2";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { Artifact, Toolset } from "./artifact";
import { download, requireGo } from "./go";

/** Modules that are built at the same time: the linker uses one core for most of its time. */
const CONCURRENT_MODULES = 2;

/**
 * Makes what is missing: downloads the sources of all modules, then builds two modules at a time, and shows which and for
 * how long. Each artifact appears whole or not at all, so that the next call continues an interrupted build.
 */
export async function prepare(toolsets: readonly Toolset<unknown>[], signal: AbortSignal): Promise<void> {
  const missing = toolsets.flatMap(({ artifacts }) => artifacts).filter(({ path }) => !existsSync(path));
  if (missing.length === 0) return;
  await requireGo();
  console.log(announcement(missing));
  // The first failure ends the other builds.
  const failed = new AbortController();
  const ends = AbortSignal.any([signal, failed.signal]);
  const fallible = (work: () => Promise<void>) => async () => {
    try {
      await work();
    } catch (error) {
      failed.abort();
      throw error;
    }
  };
  const modules = [...new Set(missing.map(({ module }) => module))];
  const downloads = modules.map((module) =>
    timed(
      module,
      fallible(() => download(module, ends)),
    ),
  );
  const builds = modules.map((module): ListrTask => ({
    title: module,
    task: (_, task) =>
      task.newListr(
        missing
          .filter((artifact) => artifact.module === module)
          .map((artifact) =>
            timed(
              artifact.title,
              fallible(() => make(artifact, ends)),
            ),
          ),
      ),
  }));
  const all = { rendererOptions: { collapseErrors: false, collapseSubtasks: false } };
  await new Listr(
    [
      { title: "download", task: (_, task) => task.newListr(downloads, { concurrent: true }) },
      { title: "build", task: (_, task) => task.newListr(builds, { concurrent: CONCURRENT_MODULES }) },
    ],
    { ...all, registerSignalListeners: false },
  ).run();
}

function announcement(missing: readonly Artifact[]): string {
  const titles = missing.map(({ title }) => title).join(", ");
  return (
    `Building from Go modules, once for this version of them: ${titles}.\n` +
    "With nothing in Go's caches, the tools of stack dev take some 10 minutes on two idle cores."
  );
}

/** A task whose title has the time since its start. */
function timed(title: string, work: () => Promise<void>): ListrTask {
  return {
    title,
    task: async (_, task) => {
      const began = Date.now();
      const clock = setInterval(() => (task.title = `${title} ${elapsed(began)}`), 1000);
      try {
        await work();
      } finally {
        clearInterval(clock);
      }
    },
  };
}

async function make({ path, make }: Artifact, signal: AbortSignal): Promise<void> {
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

function elapsed(since: number): string {
  const seconds = Math.round((Date.now() - since) / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
