import { isDeepStrictEqual } from "node:util";

import type { Stack } from "@pulumi/pulumi/automation";
import { parseDocument } from "yaml";

import { KEYS } from "../../config/keys";
import { PROJECT_NAME } from "../shared/stack";
import { setAll } from "../shared/settings";
import type { Plan } from "./plan";

/** A key that gets another value. */
export interface Change {
  /** The full key. */
  readonly key: string;
  /** Undefined where it is removed. */
  readonly value?: unknown;
  readonly isSecret: boolean;
}

const ISSUER_KEY = `${PROJECT_NAME}:issuerKey`;

/** What differs from the configuration by full key. A key that has its default and is not set stays so. */
export async function changesOf(
  stack: Stack,
  config: Readonly<Record<string, unknown>>,
  { keys, issuerKey }: Plan,
  others: Readonly<Record<string, unknown>> = {},
): Promise<Change[]> {
  const wanted = Object.entries(keys).map(([name, value]) => ({
    key: `${PROJECT_NAME}:${name}`,
    value,
    fallback: fallbackOf(name),
  }));
  const others_ = Object.entries(others).map(([key, value]) => ({ key, value, fallback: undefined }));
  const changes = [...others_, ...wanted]
    .filter(({ key, value, fallback }) =>
      value === undefined
        ? config[key] !== undefined
        : !isDeepStrictEqual(comparable(config[key] ?? fallback), comparable(value)),
    )
    .map(({ key, value }) => ({ key, value, isSecret: false }));
  if (issuerKey === undefined || (await isSet(stack, config, issuerKey))) return changes;
  return [...changes, { key: ISSUER_KEY, value: issuerKey, isSecret: true }];
}

/** Writes all of the changes, or none. */
export async function write(
  stack: Stack,
  file: string,
  changes: readonly Change[],
  signal: AbortSignal,
): Promise<void> {
  const secrets = changes.filter(({ isSecret }) => isSecret);
  const settings = secrets.map(({ key, value }) => ({ key, value: String(value), secret: true }));
  await setAll(stack, file, settings, signal, (contents) => {
    const document = parseDocument(contents);
    for (const { key, value, isSecret } of changes) {
      if (isSecret) continue;
      if (value === undefined) document.deleteIn(["config", key]);
      else document.setIn(["config", key], value);
    }
    return document.toString({ lineWidth: 0 });
  });
}

function fallbackOf(name: string): unknown {
  const { [name]: key }: Readonly<Record<string, { readonly fallback: unknown } | undefined>> = KEYS;
  return key?.fallback;
}

/** `pulumi config set` writes texts, also for what is a number or a flag. */
function comparable(value: unknown): unknown {
  const json: unknown = JSON.parse(JSON.stringify(value ?? null));
  return typeof json === "object" && json !== null ? json : String(json).trim();
}

/** Whether the stack has this key already; encrypted twice it is never the same. */
async function isSet(
  stack: Stack,
  config: Readonly<Record<string, unknown>>,
  issuerKey: string,
): Promise<boolean> {
  if (config[ISSUER_KEY] === undefined) return false;
  const { value } = await stack.getConfig(ISSUER_KEY);
  return value.trim() === issuerKey.trim();
}
