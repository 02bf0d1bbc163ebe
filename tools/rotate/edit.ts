import { readFile, rename, stat, writeFile } from "node:fs/promises";

import { type Document, isSeq, parseDocument } from "yaml";

import { type Anchor, TRUST } from "./configuration";
import type { Edits } from "./steps";

/**
 * Edits a stack's file in place, all at once: whoever reads it sees the file before or after it. Comments stay, but for
 * those of what is removed.
 */
export async function editFile(file: string, edits: Edits): Promise<void> {
  await replaceFile(file, edited(await readFile(file, "utf8"), edits));
}

/** Replaces a file's text at once. */
export async function replaceFile(file: string, text: string): Promise<void> {
  const { mode } = await stat(file);
  await writeFile(`${file}.new`, text, { mode });
  await rename(`${file}.new`, file);
}

/** The text of a stack's file after edits. */
export function edited(text: string, { anchors, set = [], removed = [] }: Edits): string {
  const document = parseDocument(text);
  if (anchors !== undefined) setAnchors(document, anchors);
  for (const { path, value } of set) document.setIn(["config", ...path], document.createNode(value));
  for (const key of removed) document.deleteIn(["config", key]);
  return document.toString({ lineWidth: 0 });
}

/** Removes the items that are gone and adds the new ones, so that those that stay keep their comments. */
function setAnchors(document: Document, anchors: readonly Anchor[]): void {
  const path = ["config", TRUST.anchors];
  const node = document.getIn(path);
  if (!isSeq(node)) {
    document.setIn(path, document.createNode(anchors));
    return;
  }
  const list = node;
  const idAt = (index: number): string => String(list.getIn([index, "id"]));
  const ids = anchors.map(({ id }) => id);
  for (let index = list.items.length - 1; index >= 0; index--) {
    if (!ids.includes(idAt(index))) list.delete(index);
  }
  const present = list.items.map((_, index) => idAt(index));
  for (const anchor of anchors.filter(({ id }) => !present.includes(id))) {
    list.add(document.createNode(anchor));
  }
}
