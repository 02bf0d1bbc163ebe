import { Rule, text } from "../components/rules";
import { Reading, value } from "./reading";

/** One key of the configuration. */
export interface Key<T> {
  /** What it has where it is not set, as Pulumi.yaml declares it too; an empty text for nothing. */
  readonly fallback: unknown;
  /** Whether it has JSON; otherwise every value is a text. */
  readonly json?: true;
  /** Whether it must be set with `--secret`. */
  readonly secret?: true;
  readonly read: Reading<T>;
}

/** A key that has a text. */
export function textKey<T extends string>(rule: Rule<T>, fallback: T): Key<T> {
  return { fallback, read: (place) => value(rule)(place) ?? fallback };
}

/** A key that has a text, or nothing. */
export function optionalKey(rule: Rule<string> = ANY_TEXT): Key<string | undefined> {
  return { fallback: "", read: value(rule) };
}

/** A key that has a secret text, or nothing. */
export function secretKey(): Key<string | undefined> {
  return { ...optionalKey(), secret: true };
}

/** A key that has one JSON value. */
export function valueKey<T>(rule: Rule<T>, fallback: T): Key<T> {
  return { fallback, json: true, read: (place) => value(rule)(place) ?? fallback };
}

/** A key that has a JSON object or list; what is wrong as a whole is read as the fallback. */
export function jsonKey<T>(read: Reading<T | undefined>, fallback: object): Key<T> {
  return { fallback, json: true, read: (place) => read(place) ?? required(read(place.as(fallback))) };
}

const ANY_TEXT = text("must be a text", /^/, "<text>");

function required<T>(read: T | undefined): T {
  if (read === undefined) {
    throw new TypeError("a key's fallback must be valid");
  }
  return read;
}
