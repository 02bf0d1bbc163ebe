import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../shared/errors";
import { PROJECT } from "../shared/paths";

const PAGE = join(PROJECT, "docs", "benchmarks.md");
const PLOT = join(PROJECT, "docs", "benchmarks.svg");

/** Between these, the page belongs to this command. */
const BEGIN = "<!-- results: written by npm run bench -- --write-docs -->";
const END = "<!-- end of results -->";

/**
 * Replaces what is between the markers of a page.
 *
 * @throws UserError when the page does not have both, in order.
 */
export function replaceResults(page: string, results: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) {
    throw new UserError(`docs/benchmarks.md must have the lines "${BEGIN}" and "${END}", in this order`);
  }
  return `${page.slice(0, begin + BEGIN.length)}\n\n${results}\n\n${page.slice(end)}`;
}

/** Writes table and plot into docs/benchmarks.md and docs/benchmarks.svg. */
export async function writeDocuments(results: string, svg: string): Promise<void> {
  const page = replaceResults(await readFile(PAGE, "utf8"), results);
  const { format, resolveConfig } = await import("prettier");
  const formatted = await format(page, { ...(await resolveConfig(PAGE)), filepath: PAGE });
  await writeFile(PLOT, svg);
  await writeFile(PAGE, formatted);
}
