import { styleText } from "node:util";

import { hintLink } from "./hints";
import { type Check, type Group, isHealthy, type Result } from "./model";

/** Ways to write the answer. */
export const OUTPUTS = ["table", "json", "junit"] as const;
export type Output = (typeof OUTPUTS)[number];

/** Writes the answer. */
export function format(groups: readonly Group[], output: Output): string {
  return { table, json, junit }[output](groups);
}

/** As `linkerd check` has them. */
const SYMBOLS: Readonly<Record<Result, string>> = { ok: "√", warning: "‼", error: "×", skipped: "-" };
const COLOURS = { ok: "green", warning: "yellow", error: "red", skipped: "gray" } as const;

/** Findings of a check that are listed one by one; JSON has all. */
const LISTED = 20;

const symbol = (result: Result): string => styleText(COLOURS[result], SYMBOLS[result]);

function table(groups: readonly Group[]): string {
  const results = groups.flatMap(({ checks }) => checks).map(({ result }) => result);
  const end = symbol((["error", "warning"] as const).find((result) => results.includes(result)) ?? "ok");
  return [...groups.map(tableOf), `Status check results are ${end}`].join("\n\n");
}

function tableOf({ group, checks }: Group): string {
  return [styleText("bold", group), "-".repeat(group.length), ...checks.flatMap(lines)].join("\n");
}

function lines({ check, result, note, found = [], hint }: Check): string[] {
  const more = found.length - LISTED;
  return [
    `${symbol(result)} ${check}${note === undefined ? "" : styleText("gray", ` (${note})`)}`,
    ...found.slice(0, LISTED).map((line) => `    ${line}`),
    ...(more > 0 ? [`    and ${more} more: --output json has all`] : []),
    ...(hint === undefined ? [] : [`    see ${hintLink(hint)} for hints`]),
  ];
}

function json(groups: readonly Group[]): string {
  const linked = groups.map(({ group, checks }) => ({
    group,
    checks: checks.map(({ hint, ...rest }) => ({ ...rest, ...(hint && { hint: hintLink(hint) }) })),
  }));
  return JSON.stringify({ healthy: isHealthy(groups), groups: linked }, undefined, 2);
}

/** A suite for each group. https://github.com/testmoapp/junitxml */
function junit(groups: readonly Group[]): string {
  const all = groups.flatMap(({ checks }) => checks);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="verify" ${counts(all)}>`,
    ...groups.flatMap(({ group, checks }) => [
      `  <testsuite name="${escape(group)}" ${counts(checks)}>`,
      ...checks.map((check) => testCase(group, check)),
      "  </testsuite>",
    ]),
    "</testsuites>",
  ].join("\n");
}

function counts(checks: readonly Check[]): string {
  const count = (...results: readonly Result[]): number =>
    checks.filter(({ result }) => results.includes(result)).length;
  return `tests="${checks.length}" failures="${count("error", "warning")}" skipped="${count("skipped")}"`;
}

function testCase(group: string, { check, result, note, found = [], hint }: Check): string {
  const head = `    <testcase classname="${escape(group)}" name="${escape(check)}"`;
  if (result === "ok") return `${head}/>`;
  if (result === "skipped") return `${head}><skipped message="${escape(note ?? "")}"/></testcase>`;
  const text = [...found, ...(hint === undefined ? [] : [`see ${hintLink(hint)}`])].join("\n");
  return `${head}><failure type="${result}" message="${escape(found[0] ?? "")}">${escape(text)}</failure></testcase>`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Text for XML, without the characters that XML does not have. */
function escape(text: string): string {
  return (
    text
      // eslint-disable-next-line no-control-regex -- these are the characters to leave out
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "")
      .replace(/[&<>"]/g, (character) => ENTITIES[character] ?? "")
  );
}
