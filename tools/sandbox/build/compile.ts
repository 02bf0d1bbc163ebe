import { ENVIRONMENT, go } from "./go";
import type { Tool } from "./manifest";
import { trimmed } from "./trimmed";

/**
 * Options of `go build`: small binaries without paths of this machine. Debug information, which the linker leaves out, is
 * not made, and nothing is inlined: together a third of the compiler's time.
 */
const OPTIONS = ["-trimpath", "-gcflags=all=-dwarf=false -l"];
const LINKER_OPTIONS = ["-s", "-w"];

/** What binaries depend on beside their sources. */
export const SETTINGS = { ENVIRONMENT, OPTIONS, LINKER_OPTIONS };

/** Builds a tool into FILE. Modules that are missing are downloaded and checked against the module's go.sum. */
export async function compile(tool: Tool, file: string, signal: AbortSignal): Promise<void> {
  const variables = Object.entries(tool.variables ?? {}).map(([name, value]) => `-X ${name}=${value}`);
  const ldflags = [...LINKER_OPTIONS, ...variables].join(" ");
  const tags = tool.tags === undefined ? [] : ["-tags", tool.tags.join(",")];
  const options = [...(await trimmed(tool.module, signal)), ...OPTIONS, ...tags, "-ldflags", ldflags];
  await go(tool.module, ["build", ...options, "-o", file, tool.package], signal);
}
