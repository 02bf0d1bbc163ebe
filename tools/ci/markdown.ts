/** Text that Markdown shows as it is, whatever it contains, within a line. */
export function code(text: string): string {
  // A blank line would end it.
  const line = text.replaceAll(/[\r\n]+/g, " ");
  const ticks = ticksFor(line, 1);
  const space = line.startsWith("`") || line.endsWith("`") || line === "" ? " " : "";
  return `${ticks}${space}${line}${space}${ticks}`;
}

/** Text that Markdown shows as it is, whatever it contains, as lines of their own. */
export function fence(text: string, language: string): string {
  const ticks = ticksFor(text, 3);
  return `${ticks}${language}\n${text}\n${ticks}`;
}

/** Markdown of one line as the cell of a table. */
export function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

/** As many of the texts, from the first, as are not longer than that together. */
export function fitting(texts: readonly string[], longest: number): readonly string[] {
  let length = 0;
  const end = texts.findIndex((text) => (length += text.length + 1) > longest);
  return end === -1 ? texts : texts.slice(0, end);
}

/** More backticks than the text has in a row. */
function ticksFor(text: string, least: number): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  return "`".repeat(Math.max(least, longest + 1));
}
