import { isDeepStrictEqual } from "node:util";

import { isObject, type Properties } from "../../components/rules";

/** A value that is no object, or an empty one, and the names that lead to it. */
export interface Leaf {
  readonly names: readonly string[];
  readonly value: unknown;
}

export function leavesOf(value: unknown, names: readonly string[] = []): Leaf[] {
  if (!isObject(value) || (names.length > 0 && Object.keys(value).length === 0)) {
    return [{ names, value }];
  }
  return Object.entries(value).flatMap(([name, item]) => leavesOf(item, [...names, name]));
}

/** The value at the end of these names. */
export function valueAt(values: unknown, names: readonly string[]): unknown {
  return names.reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), values);
}

/** The object that has these leaves. */
export function fromLeaves(leaves: readonly Leaf[]): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const { names, value } of leaves) {
    const last = names.at(-1) ?? "";
    let parent = root;
    for (const name of names.slice(0, -1)) {
      const child = parent[name];
      const next: Record<string, unknown> = isObject(child) ? child : {};
      parent[name] = next;
      parent = next;
    }
    parent[last] = value;
  }
  return root;
}

/** The values that differ from the chart's own. */
export function differing(given: Properties, own: Properties): Record<string, unknown> {
  return fromLeaves(
    leavesOf(given).filter(
      ({ names, value }) => names.length > 0 && !isDeepStrictEqual(valueAt(own, names), value),
    ),
  );
}
