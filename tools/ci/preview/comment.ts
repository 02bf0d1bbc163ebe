import { stringify } from "yaml";

import type { Change } from "./changes";
import type { Difference } from "./differences";
import type { Issued, Restart } from "./effects";
import { cell, code, fence, fitting } from "../markdown";
import { readable, SECRET, UNKNOWN } from "./values";

/** What a reviewer is told. */
export interface Report {
  readonly stack: string;
  /** The commit that was previewed. */
  readonly commit?: string;
  readonly changes: readonly Change[];
  /** Number of objects, and of components with their keys and certificates, that stay as they are. */
  readonly unchanged: number;
  readonly restarts: readonly Restart[];
  readonly certificates: Issued;
  readonly outputs: readonly Difference[];
  /** With errors, the changes are those that were found until then. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

/** GitHub refuses comments of more than 65,536 characters. Messages, the table and what is made share what there is. */
const LONGEST_MESSAGES = 8_000;
const LONGEST_TABLE = 35_000;
const LONGEST_YAML = 20_000;

/** By it the comment of a stack is found again. */
export function markerOf(stack: string): string {
  return `<!-- linkerd-mtls preview: ${stack} -->`;
}

/** The report as Markdown. */
export function comment(report: Report): string {
  const { stack, commit, errors, warnings, changes } = report;
  const parts = [
    markerOf(stack),
    `### Preview of stack ${code(stack)}${commit === undefined ? "" : ` at ${code(commit.slice(0, 12))}`}`,
    ...errors.map((message) => `**The preview failed:**\n\n${fence(cut(message, errors), "text")}`),
    ...warnings.map((message) => `**Warning:**\n\n${fence(cut(message, warnings), "text")}`),
  ];
  if (errors.length === 0) parts.push(counts(report));
  else if (changes.length > 0) parts.push("Until then it had found:");
  if (changes.length > 0) parts.push(effects(report), ...table(changes), ...made(changes));
  if (errors.length === 0 && report.outputs.length > 0) parts.push(outputs(report));
  return `${parts.join("\n\n")}\n`;
}

function counts({ changes, unchanged }: Report): string {
  const operations = [...new Set(changes.map(({ operation }) => operation))].sort();
  const parts = operations.map((operation) => {
    const number = changes.filter((change) => change.operation === operation).length;
    return `${number} to ${operation}`;
  });
  return `**${parts.length === 0 ? "No changes" : parts.join(", ")}**; ${unchanged} stay as they are.`;
}

function effects({ restarts, certificates: { first, reissued } }: Report): string {
  const list = (names: readonly string[]): string => names.map(code).join(", ");
  const reasons = [...new Set(restarts.map(({ reason }) => reason))];
  const lines = reasons.map((reason) => {
    const objects = restarts.filter((restart) => restart.reason === reason).map(({ object }) => object);
    return `Restarts pods of ${list(objects)} (${reason}).`;
  });
  if (restarts.length === 0) lines.push("Restarts no pod.");
  if (reissued.length > 0) lines.push(`Reissues the certificates of ${list(reissued)}.`);
  if (first.length > 0) lines.push(`Issues the certificates of ${list(first)}.`);
  if (reissued.length + first.length === 0) lines.push("Issues no certificate.");
  return lines.join(" ");
}

function table(changes: readonly Change[]): string[] {
  const rows = changes.map(({ order, operation, object, note, differences }) => {
    const what = [...(note === undefined ? [] : [note]), ...differences.map(difference)];
    return `| ${order} | ${operation} | ${cell(code(object))} | ${cell(what.join("<br>"))} |`;
  });
  const shown = fitting(rows, LONGEST_TABLE);
  return [
    ["| Order | Change | What | Difference |", "| --: | --- | --- | --- |", ...shown].join("\n"),
    ...(shown.length < rows.length ? [`${rows.length - shown.length} more are in the log.`] : []),
    "Each waits for those with a lower number that it needs; those with the same number go together.",
  ];
}

/** Markdown without a line break; as the cell of a table it is still to be escaped. */
function difference({ path, from, to }: Difference): string {
  const value = (text: string): string => ([SECRET, UNKNOWN].includes(text) ? text : code(text));
  const name = code(path);
  if (from === undefined) return `${name}: ${value(to ?? "")}`;
  return to === undefined ? `${name}: ${value(from)} removed` : `${name}: ${value(from)} → ${value(to)}`;
}

function made(changes: readonly Change[]): string[] {
  const documents = changes.flatMap(({ inputs }) =>
    inputs === undefined ? [] : [stringify(readable(inputs)).trim()],
  );
  if (documents.length === 0) return [];
  const shown = fitting(documents, LONGEST_YAML);
  const summary =
    shown.length < documents.length
      ? `The first ${shown.length} of the ${documents.length} objects that are made`
      : "The objects that are made";
  const yaml = fence(shown.join("\n---\n"), "yaml");
  return [`<details><summary>${summary}</summary>\n\n${yaml}\n\n</details>`];
}

function outputs({ outputs }: Report): string {
  return ["Outputs:", "", ...outputs.map((output) => `- ${difference(output)}`)].join("\n");
}

/** A message, or its beginning where all of them together would be too long. */
function cut(message: string, all: readonly string[]): string {
  const longest = Math.floor(LONGEST_MESSAGES / all.length);
  return message.length > longest ? `${message.slice(0, longest)}...\nThe rest is in the log.` : message;
}
