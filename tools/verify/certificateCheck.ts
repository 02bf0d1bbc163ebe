import { describeFound, type Problem } from "../../components/validation/problem";
import type { HintSection } from "./hints";
import type { Life } from "./life";
import { type Check, check } from "./model";

/** What problems say. */
export function describe(problems: readonly Problem[]): string[] {
  return problems.map(({ rule, found }) => `${rule}, but ${describeFound(found)}`);
}

/** A check of the problems of a certificate and of its life, which is the note where there is none. */
export function valid(
  what: string,
  problems: readonly Problem[] | readonly string[],
  life: Life,
  hint: HintSection,
): Check {
  const found = problems.flatMap((problem) => (typeof problem === "string" ? problem : describe([problem])));
  if (found.length > 0) {
    return check(what, life.result === "ok" ? found : [...found, life.description], hint);
  }
  return life.result === "ok"
    ? { check: what, result: "ok", note: life.description }
    : check(what, [life.description], life.result === "error" ? "expiry" : hint, life.result);
}
