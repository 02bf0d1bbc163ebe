import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { stringify } from "yaml";

const GOLDEN = join(__dirname, "..", "program", "golden");
const UPDATE = process.env.UPDATE_GOLDEN !== undefined;

/** Compares with a golden file; `npm run test:update-golden` writes it. */
export function assertGolden(file: string, actual: unknown): void {
  const path = join(GOLDEN, file);
  const text = stringify(actual, { lineWidth: 110, aliasDuplicateObjects: false });
  if (UPDATE) {
    writeFileSync(path, text);
  }
  assert.ok(existsSync(path), `${path} does not exist: run npm run test:update-golden`);
  assert.equal(text, readFileSync(path, "utf8"));
}

/** Replaces each PEM by the name of its certificate. */
export function withoutPems(value: unknown, pems: ReadonlyMap<string, string>): unknown {
  const text = JSON.stringify(value);
  const replaced = [...pems].reduce(
    (result, [name, pem]) => result.replaceAll(JSON.stringify(pem.trim()).slice(1, -1), `<${name}>`),
    text,
  );
  assert.ok(!replaced.includes("-----BEGIN"), "a PEM is not accounted for");
  return JSON.parse(replaced);
}
