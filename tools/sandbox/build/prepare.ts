import { Listr, type ListrTask } from "listr2";
import { existsSync } from "node:fs";
import { UserError } from "../../shared/errors";
import type { Toolset } from "./artifact";
import { makeOnce } from "./cache";
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
  const modules = [...new Set(missing.map(({ module }) => module))];
  console.log(
    `Building the tools from these Go modules, once for this version of them: ${modules.join(", ")}.\n` +
      "From nothing, a module takes one to six minutes on two idle cores.",
  );
  // The first failure ends the other builds.
  const failure = new AbortController();
  const ends = AbortSignal.any([signal, failure.signal]);
  const timed = (title: string, work: (signal: AbortSignal) => Promise<void>): ListrTask => ({
    title,
    task: async (_, task) => {
      const began = Date.now();
      const clock = setInterval(() => (task.title = `${title} ${elapsed(began)}`), 1000);
      try {
        await work(ends);
      } catch (error) {
        failure.abort(new UserError("ended, because another module failed"));
        throw error;
      } finally {
        clearInterval(clock);
      }
    },
  });
  const downloads = modules.map((module) => timed(module, (ended) => download(module, ended)));
  const builds = modules.map((module): ListrTask => {
    const artifacts = missing.filter((artifact) => artifact.module === module);
    const tasks = artifacts.map((artifact) => timed(artifact.title, (ended) => makeOnce(artifact, ended)));
    return { title: module, task: (_, task) => task.newListr(tasks, { concurrent: false }) };
  });
  await new Listr(
    [
      { title: "download", task: (_, task) => task.newListr(downloads, { concurrent: true }) },
      { title: "build", task: (_, task) => task.newListr(builds, { concurrent: CONCURRENT_MODULES }) },
    ],
    {
      rendererOptions: { collapseErrors: false, collapseSubtasks: false },
      registerSignalListeners: false,
    },
  ).run();
}

function elapsed(since: number): string {
  const seconds = Math.round((Date.now() - since) / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
