import * as pulumi from "@pulumi/pulumi";

import { describeFound, Fix, Found, Problem, unexpected } from "../components/rules";
import { Key } from "./key";
import { Findings, Place } from "./reading";

/** Namespace of the program's own keys. */
const NAMESPACE = "linkerd-mtls";

type Keys = Readonly<Record<string, Key<unknown>>>;

/** What keys have, each by its name. */
export type Settings<K extends Keys> = { readonly [N in keyof K]: ReturnType<K[N]["read"]> };

/** The configuration of the stack, and its problems. */
export class Stack<K extends Keys> {
  /** What each key has by itself; how they fit each other is for the reader to check. */
  public readonly settings: Settings<K>;

  private readonly config = new pulumi.Config(NAMESPACE);
  private readonly findings: Findings = { problems: [], warnings: [] };
  private readonly names: readonly string[];

  public constructor(public readonly keys: K) {
    this.names = Object.keys(keys);
    this.checkNames();
    const entries = Object.entries(keys).map(([name, key]) => [name, key.read(this.at(name))]);
    // Object.fromEntries forgets the names.
    this.settings = Object.fromEntries(entries) as Settings<K>;
  }

  /** The place of a key, or of another project's key by its full name. */
  public at(name: keyof K & string): Place {
    const key = this.keys[name];
    const set = this.config.get(name);
    // An empty text is the fallback of keys that may be absent.
    const text = set === undefined || set === "" ? undefined : set;
    const fallback = key?.fallback === "" ? undefined : key?.fallback;
    const value = text === undefined ? fallback : key?.json === true ? fromJson(text) : text;
    return new Place(name, value, this.findings);
  }

  /** Whether a key has been set with `--secret`. */
  public isSecret(name: keyof K & string): boolean {
    return isConfigSecret(name);
  }

  /** A key's text as a secret. */
  public secret(name: keyof K & string): pulumi.Output<string> | undefined {
    return this.config.getSecret(name);
  }

  /** Reports problems of keys. */
  public report(...problems: Problem[]): void {
    this.findings.problems.push(...problems);
  }

  /** Throws all problems as one error, in the order of the keys; otherwise logs the warnings. */
  public throwProblems(): void {
    const { problems, warnings } = this.findings;
    if (problems.length > 0) {
      const place = ({ path }: Problem): number => this.names.indexOf(keyOf(path));
      const sorted = problems.toSorted((one, other) => place(one) - place(other));
      const count = sorted.length === 1 ? "a problem" : `${sorted.length} problems`;
      const lines = sorted.map((problem) => this.describe(problem));
      throw new pulumi.RunError(
        `The configuration of stack ${pulumi.getStack()} has ${count}:\n\n${lines.join("\n\n")}\n`,
      );
    }
    for (const { path, warning } of warnings) {
      void pulumi.log.warn(`${fullPath(path)} ${warning}`);
    }
  }

  /** A misspelled key has no effect, and would not be noticed. */
  private checkNames(): void {
    for (const fullKey of Object.keys(pulumi.runtime.allConfig())) {
      const [namespace, name = ""] = fullKey.split(":");
      if (namespace === NAMESPACE && !this.names.includes(name)) {
        this.report(unexpected(name, `must be one of ${this.names.join(", ")}`, "is unknown"));
      }
    }
  }

  /** A problem with the commands that fix it, each on a line. */
  private describe({ path, rule, found, fixes = [] }: Problem): string {
    const head = `${fullPath(path)} ${rule}, but ${describeSafely(path, found)}`;
    return [head, ...fixes.map((fix) => this.command(fix))].join("\n    ");
  }

  private command(fix: Fix): string {
    if ("remove" in fix) {
      return `pulumi config rm ${option(fix.remove)}`;
    }
    const secret = this.keys[keyOf(fix.set)]?.secret === true ? "--secret " : "";
    const set = `pulumi config set ${secret}${option(fix.set)}`;
    if ("fromFile" in fix) {
      return `${set} < ${fix.fromFile}`;
    }
    return `${set} ${fix.to}${fix.note === undefined ? "" : `    # ${fix.note}`}`;
  }
}

/** The key in which a path begins. */
function keyOf(path: string): string {
  return path.split(/[.[]/, 1).join();
}

/** A path with the namespace of its key. */
function fullPath(path: string): string {
  return path.includes(":") ? path : `${NAMESPACE}:${path}`;
}

/** A key or a path as an argument of `pulumi config`. */
function option(path: string): string {
  return path === keyOf(path) ? fullPath(path) : `--path '${fullPath(path)}'`;
}

/** What was found, without repeating a secret. */
function describeSafely(path: string, found: Found): string {
  const text = describeFound(found);
  const harmless = typeof found === "string" || found.value === undefined || text === "is a PEM block";
  return harmless || !isConfigSecret(keyOf(path)) ? text : "is a secret of another form";
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The SDK knows it, but its types hide it as internal. */
function isConfigSecret(key: string): boolean {
  const runtime = pulumi.runtime as unknown as { isConfigSecret(key: string): boolean };
  return runtime.isConfigSecret(`${NAMESPACE}:${key}`);
}
