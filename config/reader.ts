import * as pulumi from "@pulumi/pulumi";

/** Namespace of the program's own keys. */
export const NAMESPACE = "linkerd-mtls";

/** Properties of an object in the configuration. */
export type Properties = Readonly<Record<string, unknown>>;

/** What a value must be. */
export interface Expectation<T> {
  readonly rule: string;
  /** A right value, for the command that mends. */
  readonly example: string;
  readonly allows: (value: unknown) => value is T;
}

export const COUNT: Expectation<number> = {
  rule: "must be a whole number, 1 or more",
  example: "1",
  allows: (value): value is number => typeof value === "number" && Number.isInteger(value) && value >= 1,
};

export const FLAG: Expectation<boolean> = {
  rule: "must be true or false",
  example: "true",
  allows: (value): value is boolean => typeof value === "boolean",
};

/** One of some texts. */
export function oneOf<T extends string>(allowed: readonly T[], example: T): Expectation<T> {
  return {
    rule: `must be one of ${allowed.join(", ")}`,
    example,
    allows: (value): value is T => allowed.some((candidate) => candidate === value),
  };
}

/** A text of some form. */
export function text(rule: string, pattern: RegExp, example: string): Expectation<string> {
  const allows = (value: unknown): value is string => typeof value === "string" && pattern.test(value);
  return { rule, example, allows };
}

const LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";
export const DNS_LABEL = new RegExp(`^${LABEL}$`);
export const DNS_NAME = new RegExp(`^${LABEL}(\\.${LABEL})*$`);

/** Reads a stack's configuration and collects what is wrong with it. */
export class ConfigReader {
  private readonly config = new pulumi.Config(NAMESPACE);
  private readonly problems: string[] = [];
  private readonly warnings: string[] = [];

  /** Throws all that is wrong as one error; else logs the warnings. */
  public throwProblems(): void {
    if (this.problems.length > 0) {
      const count = this.problems.length === 1 ? "a problem" : `${this.problems.length} problems`;
      throw new pulumi.RunError(
        `The configuration of stack ${pulumi.getStack()} has ${count}:\n\n${this.problems.join("\n\n")}\n`,
      );
    }
    for (const warning of this.warnings) {
      void pulumi.log.warn(warning);
    }
  }

  /** Notes what is right, and soon will not be. */
  public warn(warning: string): void {
    this.warnings.push(warning);
  }

  /** Notes a problem: the full key, its rule, what was found, and the commands that mend it. */
  public problem(fullKey: string, rule: string, found: string, ...commands: string[]): void {
    this.problems.push([`${fullKey} ${rule}, but ${found}`, ...commands].join("\n    "));
  }

  /** Notes that a key has a wrong value. */
  public invalid(key: string, rule: string, value: unknown, example: string): void {
    this.problem(`${NAMESPACE}:${key}`, rule, `is ${describe(key, value)}`, setCommand(key, example));
  }

  /** Notes that a property must not be set. */
  public superfluous(key: string, rule: string, found: string): void {
    this.problem(`${NAMESPACE}:${key}`, rule, found, `pulumi config rm --path '${NAMESPACE}:${key}'`);
  }

  /** A key's text; an empty one counts as absent, for it is the default of the keys that may be absent. */
  public text(key: string): string | undefined {
    const value = this.config.get(key);
    return value === "" ? undefined : value;
  }

  /** A key's text as a secret. */
  public secret(key: string): pulumi.Output<string> | undefined {
    return this.config.getSecret(key);
  }

  /** A key's JSON, or its text where it is none. */
  public json(key: string): unknown {
    const value = this.text(key);
    if (value === undefined) {
      return undefined;
    }
    try {
      return JSON.parse(value);
    } catch {
      return value;
    }
  }

  public checkKeys(known: readonly string[]): void {
    for (const fullKey of Object.keys(pulumi.runtime.allConfig())) {
      const [namespace, key] = fullKey.split(":", 2);
      if (namespace === NAMESPACE && !known.some((candidate) => candidate === key)) {
        this.problem(
          fullKey,
          `must be one of ${known.join(", ")}`,
          "is unknown",
          `pulumi config rm ${fullKey}`,
        );
      }
    }
  }

  /** A key that is one of some texts. */
  public oneOf<T extends string>(key: string, allowed: readonly T[], byDefault: T): T {
    return this.value(key, this.text(key), oneOf(allowed, byDefault)) ?? byDefault;
  }

  /** A key that is true or false. Default false. */
  public flag(key: string): boolean {
    return this.value(key, this.json(key), FLAG) ?? false;
  }

  /** An object with no other properties than these. */
  public object(value: unknown, key: string, known: readonly string[]): Properties | undefined {
    if (!isObject(value)) {
      this.problem(
        `${NAMESPACE}:${key}`,
        `must be an object of ${known.join(", ")}`,
        `is ${describe(key, value)}`,
        setCommand(`${key}.${known[0] ?? ""}`, "<value>"),
      );
      return undefined;
    }
    for (const property of Object.keys(value)) {
      if (!known.includes(property)) {
        this.superfluous(`${key}.${property}`, `must be one of ${known.join(", ")}`, "is unknown");
      }
    }
    return value;
  }

  /** A list; absent counts as empty. `item` is the path of what the first item needs, with an example of it. */
  public list(value: unknown, key: string, rule: string, item: string, example: string): readonly unknown[] {
    if (value === undefined || Array.isArray(value)) {
      return value ?? [];
    }
    this.problem(
      `${NAMESPACE}:${key}`,
      rule,
      `is ${describe(key, value)}`,
      setCommand(`${key}[0]${item}`, example),
    );
    return [];
  }

  /** A property that may be absent. */
  public property<T>(
    object: Properties,
    key: string,
    property: string,
    expected: Expectation<T>,
  ): T | undefined {
    return this.value(`${key}.${property}`, object[property], expected);
  }

  /** What a key or a path has, where it is as expected. */
  public value<T>(key: string, value: unknown, expected: Expectation<T>): T | undefined {
    if (value === undefined || expected.allows(value)) {
      return value;
    }
    this.invalid(key, expected.rule, value, expected.example);
    return undefined;
  }
}

/** The command that sets a key or a path. */
export function setCommand(key: string, value: string): string {
  return key.includes("[") || key.includes(".")
    ? `pulumi config set --path '${NAMESPACE}:${key}' ${value}`
    : `pulumi config set ${NAMESPACE}:${key} ${value}`;
}

/** Longer values say nothing that a reader could use. */
const MAX_DESCRIPTION = 100;

/** What was found, for an error. Secrets and PEM blocks are not repeated: one may be a key in the wrong place. */
export function describe(key: string, value: unknown): string {
  if (value === undefined) {
    return "missing";
  }
  const json = JSON.stringify(value);
  if (json.includes("-----BEGIN")) {
    return "a PEM block";
  }
  if (isConfigSecret(key.split(/[.[]/, 1).join())) {
    return "a secret of another form";
  }
  return json.length > MAX_DESCRIPTION ? `${json.slice(0, MAX_DESCRIPTION)}...` : json;
}

export function isObject(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a key was set with --secret. The SDK knows it, but its types hide it as internal. */
export function isConfigSecret(key: string): boolean {
  const runtime = pulumi.runtime as unknown as { isConfigSecret(key: string): boolean };
  return runtime.isConfigSecret(`${NAMESPACE}:${key}`);
}
