import type { HintSection } from "./hints";

/** What became of a check. `skipped`: it was not asked for. */
export type Result = "ok" | "warning" | "error" | "skipped";

/** One check, and one line of the answer. */
export interface Check {
  /** What should hold. */
  readonly check: string;
  readonly result: Result;
  /** A few words on the same line, e.g. how long a certificate is valid. */
  readonly note?: string;
  /** What was found instead, one line for each object. */
  readonly found?: readonly string[];
  /** The section of docs/operations.md on what to do. */
  readonly hint?: HintSection;
}

/** Checks of one subject. */
export interface Group {
  readonly group: string;
  readonly checks: readonly Check[];
}

/** A check that holds unless something was found; then it has the given result. */
export function check(
  what: string,
  found: readonly string[],
  hint: HintSection,
  otherwise: "warning" | "error" = "error",
): Check {
  return found.length === 0 ? { check: what, result: "ok" } : { check: what, result: otherwise, found, hint };
}

/** Whether nothing was found, neither an error nor a warning. */
export function isHealthy(groups: readonly Group[]): boolean {
  return groups
    .flatMap(({ checks }) => checks)
    .every(({ result }) => result === "ok" || result === "skipped");
}
