/** What a value must be. */
export interface Rule<T> {
  /** Continues a sentence that begins with the value's path: "must be true or false". */
  readonly rule: string;
  /** A valid value, as it is written on a command line. */
  readonly example: string;
  readonly allows: (value: unknown) => value is T;
}

/** True or false. */
export const FLAG: Rule<boolean> = {
  rule: "must be true or false",
  example: "true",
  allows: (value): value is boolean => typeof value === "boolean",
};

/** A whole number from `minimum` on. */
export function wholeNumber(minimum: number, example = String(minimum)): Rule<number> {
  return {
    rule: `must be a whole number, ${minimum} or more`,
    example,
    allows: (value): value is number =>
      typeof value === "number" && Number.isInteger(value) && value >= minimum,
  };
}

/** A whole number of 1 or more. */
export const COUNT = wholeNumber(1);

/** One of some texts. */
export function oneOf<T extends string>(allowed: readonly T[], example: string = allowed[0] ?? ""): Rule<T> {
  return {
    rule: `must be one of ${allowed.join(", ")}`,
    example,
    allows: (value): value is T => allowed.some((candidate) => candidate === value),
  };
}

/** A text that matches a pattern. */
export function text(rule: string, pattern: RegExp, example: string): Rule<string> {
  const allows = (value: unknown): value is string => typeof value === "string" && pattern.test(value);
  return { rule, example, allows };
}

const LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";

/** A DNS label, e.g. the name of a namespace. */
export const DNS_LABEL = text("must be a DNS label, as a string", new RegExp(`^${LABEL}$`), "<name>");

/** DNS labels with dots between them, e.g. the name of a Secret. */
export const DNS_NAME = text("must be a DNS name", new RegExp(`^${LABEL}(\\.${LABEL})*$`), "<name>");

/** An http or https URL. */
export const HTTP_URL = text(
  "must be a URL that begins with http:// or https://",
  /^https?:\/\/[^/]/,
  "http://example.org",
);
