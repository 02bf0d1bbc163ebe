/** Stands for a value that only the update will know. */
export const UNKNOWN = Symbol("unknown");

/** An object as far as its values are known. */
export type Properties = Readonly<Record<string, unknown>>;

/**
 * Plain data of the properties that the engine gives in a preview, where to read an unknown value throws. A rule would
 * otherwise end at the first of them, and see nothing of the rest.
 */
export function known(properties: object): Properties {
  return Object.fromEntries(Object.keys(properties).map((key) => [key, read(properties, key)]));
}

function read(object: object, key: string): unknown {
  let value: unknown;
  try {
    value = (object as Properties)[key];
  } catch {
    return UNKNOWN;
  }
  if (Array.isArray(value))
    return Array.from({ length: value.length }, (_, index) => read(value as object, String(index)));
  return isProperties(value) ? known(value) : value;
}

/** Whether it is an object with properties. */
export function isProperties(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What is at that path, keys and indices; undefined where there is nothing, UNKNOWN where that is not known yet. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (found, key) =>
      typeof found === "object" && found !== null
        ? (found as Record<string | number, unknown>)[key]
        : found === UNKNOWN
          ? found
          : undefined,
    value,
  );
}

/** A value in an object of any depth, and the path to it. */
export interface Leaf {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** All values that are neither objects nor lists. */
export function leaves(value: unknown, path: readonly string[] = []): Leaf[] {
  return typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, item]) => leaves(item, [...path, key]))
    : [{ path, value }];
}
