/**
 * The values, by path (`identity.issuer.scheme`), that a chart does not know. `known` has the paths of all that it does
 * know; one that ends with `.*` is a map of any keys.
 */
export function unknownValues(values: unknown, known: readonly string[]): string[] {
  const isKnown = (path: string): boolean =>
    known.some((name) => (name.endsWith(".*") ? path.startsWith(name.slice(0, -1)) : path === name));
  return valuePaths(values).filter((path) => !isKnown(path));
}

function valuePaths(value: unknown, path: string[] = []): string[] {
  return typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, item]) => valuePaths(item, [...path, key]))
    : [path.join(".")];
}
