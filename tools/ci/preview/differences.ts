import { isDeepStrictEqual } from "node:util";

import { inWords, isMap, isSecret, readable, UNKNOWN } from "./values";

/** One property that a change sets, alters or removes. */
export interface Difference {
  /** E.g. `spec.template.metadata.annotations["linkerd.io/inject"]`. */
  readonly path: string;
  /** In words; missing where the property was not there before. */
  readonly from?: string;
  /** In words; missing where it is removed. */
  readonly to?: string;
}

type Keys = readonly (string | number)[];

/** A leaf that differs, or a secret, of which nobody can tell. */
interface Leaf {
  readonly keys: Keys;
  readonly from: unknown;
  readonly to: unknown;
}

/**
 * What differs between the inputs of a resource, at and below the paths that the engine names. A secret is listed when
 * the engine names its own path, or when nothing else differs: the events do not tell whether two secrets are equal.
 */
export function differences(paths: readonly string[], from: unknown, to: unknown): Difference[] {
  return paths.flatMap((path) => {
    const keys = parsePath(path);
    const found = leaves(keys, at(from, keys), at(to, keys));
    const certain = found.filter((leaf) => !isSecret(leaf.from) || !isSecret(leaf.to));
    return (certain.length > 0 ? certain : found).map((leaf) => ({
      path: formatPath(leaf.keys),
      // What it was says nothing where nobody knows what it will be.
      ...(leaf.from !== undefined && readable(leaf.to) !== UNKNOWN && { from: inWords(leaf.from) }),
      ...(leaf.to !== undefined && { to: inWords(leaf.to) }),
    }));
  });
}

function leaves(keys: Keys, from: unknown, to: unknown): Leaf[] {
  if (isSecret(from) || isSecret(to)) return [{ keys, from, to }];
  if (Array.isArray(from) && Array.isArray(to)) {
    const indices = Array.from({ length: Math.max(from.length, to.length) }, (_, index) => index);
    return indices.flatMap((index) => leaves([...keys, index], from[index], to[index]));
  }
  const both = [from, to].filter((value) => value !== undefined);
  if (both.length > 0 && both.every(isMap)) {
    const names = [...new Set(both.flatMap((value) => Object.keys(value)))].sort();
    return names.flatMap((name) => leaves([...keys, name], at(from, [name]), at(to, [name])));
  }
  return isDeepStrictEqual(from, to) ? [] : [{ keys, from, to }];
}

function at(value: unknown, keys: Keys): unknown {
  return keys.reduce<unknown>((current, key) => {
    if (Array.isArray(current)) return (current as unknown[])[Number(key)];
    return isMap(current) ? current[key] : undefined;
  }, value);
}

/** The engine's notation: `a.b[0]["c.d"]`. */
function parsePath(path: string): Keys {
  return [...path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g)].map(([, quoted, index, name]) =>
    index === undefined ? (quoted?.replaceAll(/\\(.)/g, "$1") ?? name ?? "") : Number(index),
  );
}

function formatPath(keys: Keys): string {
  return keys
    .map((key) => {
      if (typeof key === "number") return `[${key}]`;
      return /^\w+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
    })
    .join("")
    .replace(/^\./, "");
}
