import {
  checkItems,
  checkObject,
  Fix,
  invalid,
  isObject,
  join,
  Problem,
  Rule,
  within,
} from "../components/rules";

/** What has been found wrong, and what will be soon. Paths begin with a key. */
export interface Findings {
  readonly problems: Problem[];
  readonly warnings: { readonly path: string; readonly warning: string }[];
}

/** A place in the configuration: a key, or a path in its value. */
export class Place {
  public constructor(
    public readonly path: string,
    public readonly value: unknown,
    private readonly findings: Findings,
  ) {}

  /** The place of a property, or of an item `[<index>]`. */
  public at(property: string): Place {
    const index = /^\[(\d+)\]$/.exec(property)?.[1];
    const value: unknown =
      index !== undefined && Array.isArray(this.value)
        ? this.value[Number(index)]
        : isObject(this.value)
          ? this.value[property]
          : undefined;
    return new Place(join(this.path, property), value, this.findings);
  }

  /** The same place with another value. */
  public as(value: unknown): Place {
    return new Place(this.path, value, this.findings);
  }

  /** Reports problems whose paths begin here. */
  public report(...problems: Problem[]): void {
    this.findings.problems.push(...within(this.path, problems));
  }

  /** Reports problems whose paths begin here, which something else fixes too; the paths of that begin with a key. */
  public reportWithFixes(fixes: readonly Fix[], ...problems: Problem[]): void {
    const seen = within(this.path, problems);
    this.findings.problems.push(
      ...seen.map((problem) => ({ ...problem, fixes: [...(problem.fixes ?? []), ...fixes] })),
    );
  }

  /** Reports what is valid, and soon will not be. */
  public warn(...warnings: readonly string[]): void {
    this.findings.warnings.push(...warnings.map((warning) => ({ path: this.path, warning })));
  }
}

/** Reads a place. What is wrong there is reported, and read as if it were absent. */
export type Reading<T> = (place: Place) => T;

/** A value by its rule. */
export function value<T>(rule: Rule<T>): Reading<T | undefined> {
  return (place) => {
    if (place.value === undefined || rule.allows(place.value)) {
      return place.value;
    }
    place.report(invalid("", rule, place.value));
    return undefined;
  };
}

/** A text that must not be absent. A wrong one is read as its path, which no other text equals. */
export function requiredText(rule: Rule<string>): Reading<string> {
  return (place) => {
    if (rule.allows(place.value)) {
      return place.value;
    }
    place.report(invalid("", rule, place.value));
    return place.path;
  };
}

/** A value whose form a function checks as a whole. */
export function checked<T>(problemsOf: (value: unknown) => Problem[]): Reading<T | undefined> {
  return (place) => {
    const problems = problemsOf(place.value);
    place.report(...problems);
    // The rules leave nothing else than the type.
    return problems.length === 0 ? (place.value as T | undefined) : undefined;
  };
}

/** A value that something else reads, with what it knows of other values. */
export const elsewhere: Reading<unknown> = (place) => place.value;

/** Readings by property. */
type Readings = Readonly<Record<string, Reading<unknown>>>;

/** What readings give, by property. */
export type Read<R extends Readings> = { readonly [P in keyof R]: ReturnType<R[P]> };

/** An object with these properties and no others. */
export function object<R extends Readings>(readings: R): Reading<Read<R> | undefined> {
  return (place) => {
    if (place.value === undefined) {
      return undefined;
    }
    place.report(...checkObject("", place.value, Object.keys(readings)));
    if (!isObject(place.value)) {
      return undefined;
    }
    const entries = Object.entries(readings).map(([property, read]) => [property, read(place.at(property))]);
    // Object.fromEntries forgets the names.
    return Object.fromEntries(entries) as Read<R>;
  };
}

/** A list; absent counts as empty. `example`: what its first item needs, at its path in there. */
export function list<T>(
  rule: string,
  example: { readonly path: string; readonly to: string },
  item: Reading<T | undefined>,
): Reading<T[]> {
  return (place) => {
    place.report(...checkItems("", place.value, rule, example, () => []));
    const items: readonly unknown[] = Array.isArray(place.value) ? place.value : [];
    return items.map((_, index) => item(place.at(`[${index}]`))).filter((read) => read !== undefined);
  };
}

/** Reports each item of a list whose text another one before it has. */
export function checkUnique(
  place: Place,
  property: string,
  texts: readonly string[],
  rule: string,
  example: (text: string, index: number) => string = () => "<name>",
): void {
  for (const [index, text] of texts.entries()) {
    if (texts.indexOf(text) < index) {
      const path = `[${index}].${property}`;
      place.report({ path, rule, found: { value: text }, fixes: [{ set: path, to: example(text, index) }] });
    }
  }
}
