import type { VariantId } from "../rows";
import { program } from "./program";
import { script } from "./script";
import type { Variant } from "./variant";

/** How each variant is run. */
export const RUNNERS: Readonly<Record<VariantId, Variant>> = {
  a: program("tools/sandbox/main.ts"),
  b: script({ wait: true, restart: true }),
  c: script({ wait: true, restart: false }),
  d: script({ wait: false, restart: true }),
  e: script({ wait: false, restart: false, guard: true }),
  f: program("tools/bench/journal/main.ts"),
};
