import { Rule } from "./rule";

/** What was found: in words ("kind is Job"), or a value, which whoever reports it may have to keep to themselves. */
export type Found = string | { readonly value: unknown };

/** A change that fixes a problem: a path that is set to a value or to the content of a file, or that is removed. */
export type Fix =
  | { readonly set: string; readonly to: string; readonly note?: string }
  | { readonly set: string; readonly fromFile: string }
  | { readonly remove: string };

/** One rule that is broken. */
export interface Problem {
  /** Path of what breaks it, e.g. `proxy.opaquePorts[1]`; empty for the checked value itself. */
  readonly path: string;
  /** Continues a sentence that begins with the path: "must be valid now". */
  readonly rule: string;
  /** Continues it after "but": "expired on 2026-01-01T00:00:00Z". */
  readonly found: Found;
  /** Each of these fixes it, or is a part of what does. Default: none that holds everywhere. */
  readonly fixes?: readonly Fix[];
}

/** A value that breaks its rule. */
export function invalid<T>(path: string, { rule, example }: Rule<T>, value: unknown): Problem {
  return { path, rule, found: { value }, fixes: [{ set: path, to: example }] };
}

/** A value that must not be set. */
export function unexpected(path: string, rule: string, found: Found): Problem {
  return { path, rule, found, fixes: [{ remove: path }] };
}

/** Checks a value that may be absent. */
export function check<T>(path: string, value: unknown, rule: Rule<T>): Problem[] {
  return value === undefined || rule.allows(value) ? [] : [invalid(path, rule, value)];
}

/** Checks a list that may be absent, and each of its items. */
export function checkList<T>(path: string, value: unknown, listRule: string, item: Rule<T>): Problem[] {
  return checkItems(path, value, listRule, { path: "", to: item.example }, (entry) =>
    item.allows(entry) ? [] : [invalid("", item, entry)],
  );
}

/** Checks a list that may be absent, and each of its items. `example`: what a first item needs, at its path in there. */
export function checkItems(
  path: string,
  value: unknown,
  rule: string,
  example: { readonly path: string; readonly to: string },
  checkItem: (item: unknown) => readonly Problem[],
): Problem[] {
  if (value === undefined) {
    return [];
  }
  if (!Array.isArray(value)) {
    const set = join(join(path, "[0]"), example.path);
    return [{ path, rule, found: { value }, fixes: [{ set, to: example.to }] }];
  }
  return value.flatMap((item, index) => within(join(path, `[${index}]`), checkItem(item)));
}

/** Properties of an object that comes from outside the type system. */
export type Properties = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Checks that a value is an object with no other properties than these. */
export function checkObject(path: string, value: unknown, known: readonly string[]): Problem[] {
  if (!isObject(value)) {
    const rule = `must be an object of ${known.join(", ")}`;
    const set = join(path, known[0] ?? "");
    return [{ path, rule, found: { value }, fixes: [{ set, to: "<value>" }] }];
  }
  return Object.keys(value)
    .filter((property) => !known.includes(property))
    .map((property) => unexpected(join(path, property), `must be one of ${known.join(", ")}`, "is unknown"));
}

/** Problems of a property, seen from the object that has it. */
export function within(path: string, problems: readonly Problem[]): Problem[] {
  return problems.map((problem) => ({
    ...problem,
    path: join(path, problem.path),
    ...(problem.fixes && {
      fixes: problem.fixes.map((fix) =>
        "remove" in fix ? { remove: join(path, fix.remove) } : { ...fix, set: join(path, fix.set) },
      ),
    }),
  }));
}

/** Joins two paths. */
export function join(path: string, property: string): string {
  return path === "" || property === "" || property.startsWith("[") ? path + property : `${path}.${property}`;
}

/** What was found, in words. */
export function describeFound(found: Found): string {
  return typeof found === "string" ? found : `is ${describe(found.value)}`;
}

/** Longer values say nothing that a reader could use. */
const MAX_DESCRIPTION = 100;

/** A value, for an error. A PEM block is not repeated: it may be a key in the wrong place. */
export function describe(value: unknown): string {
  // There is no JSON of some values, which the types do not say.
  const json = JSON.stringify(value) as string | undefined;
  if (value === undefined || json === undefined) {
    return value === undefined ? "missing" : `a ${typeof value}`;
  }
  if (json.includes("-----BEGIN")) {
    return "a PEM block";
  }
  return json.length > MAX_DESCRIPTION ? `${json.slice(0, MAX_DESCRIPTION)}...` : json;
}
