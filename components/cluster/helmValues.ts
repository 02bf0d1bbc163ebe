import { join } from "node:path";

import { throwInputProblems } from "../validation/inputProblems";
import { isObject, Problem, Properties, unexpected, within } from "../validation/problem";
import { isChartDirectory } from "./helmChart";
import { directoryNames } from "./valueNames";

/** A value of a chart: JSON without null, which the Kubernetes provider does not pass on to Helm. */
export type HelmValue = string | number | boolean | readonly HelmValue[] | HelmValues;

/** Values of a chart, as in its values.yaml. */
export interface HelmValues {
  readonly [name: string]: HelmValue;
}

/** What is known of a chart's values. */
export interface ChartRules {
  /** Name of the chart. */
  readonly chart: string;
  /** Paths that cannot be set, with all beneath them, and why: `"proxy.opaquePorts": "opaquePorts sets it"`. */
  readonly owned: Readonly<Record<string, string>>;
  /** A release whose names are known, for a chart without a schema. A path that ends with `.*` takes any value. */
  readonly known?: { readonly release: string; readonly names: readonly string[] };
}

/** A value that is no object, or an empty one, and every path that leads to it, its own last. */
interface Leaf {
  readonly path: string;
  readonly paths: readonly string[];
  readonly value: unknown;
}

/** Names of values, and whose they are. */
interface Names {
  readonly names: readonly string[];
  readonly chart: string;
}

const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;

/**
 * Checks values that will be merged over a component's own. A chart in a directory is asked for its names, a chart
 * elsewhere has those of `rules.known`; Helm itself checks the names of a chart with a schema.
 */
export function helmValueProblems(rules: ChartRules, source: string, values: Properties): Problem[] {
  const names = namesOf(rules, source);
  return leavesOf(values, []).flatMap((leaf) => {
    const problem =
      ownedProblem(rules.owned, leaf) ?? contentProblem(leaf) ?? (names && nameProblem(names, leaf));
    return problem ?? [];
  });
}

/**
 * Checks the argument `values` of a component, as {@link helmValueProblems} does.
 *
 * @throws InputPropertiesError with every problem.
 */
export function checkHelmValues(
  component: string,
  rules: ChartRules,
  source: string,
  values: HelmValues = {},
): void {
  throwInputProblems(component, within("values", helmValueProblems(rules, source, values)));
}

/** Merges values as Helm does: those of `over` win, lists are replaced, objects are merged. */
export function mergeValues(values: object, over: HelmValues = {}): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...values };
  for (const [name, value] of Object.entries(over)) {
    const existing = merged[name];
    merged[name] = isObject(existing) && isValues(value) ? mergeValues(existing, value) : value;
  }
  return merged;
}

function isValues(value: HelmValue): value is HelmValues {
  return isObject(value);
}

function leavesOf(value: unknown, paths: readonly string[]): Leaf[] {
  const path = paths.at(-1) ?? "";
  if (!isObject(value) || (path !== "" && Object.keys(value).length === 0)) {
    return [{ path, paths, value }];
  }
  return Object.entries(value).flatMap(([name, item]) => leavesOf(item, [...paths, childPath(path, name)]));
}

/** A path as the Pulumi CLI writes it, so that a name with a dot differs from two names. */
function childPath(path: string, name: string): string {
  if (/[.[\]"]/.test(name)) {
    return `${path}[${JSON.stringify(name)}]`;
  }
  return path === "" ? name : `${path}.${name}`;
}

function ownedProblem(owned: ChartRules["owned"], { path, paths, value }: Leaf): Problem | undefined {
  const reason = paths.map((candidate) => owned[candidate]).find((found) => found !== undefined);
  if (reason !== undefined) {
    return unexpected(path, `must not be set here (${reason})`, { value });
  }
  const replaces = !isObject(value) && Object.keys(owned).some((name) => name.startsWith(`${path}.`));
  return replaces ? notAnObject(path, value) : undefined;
}

function contentProblem({ path, value }: Leaf): Problem | undefined {
  if (value === null) {
    return unexpected(path, "must not be null, which does not reach Helm", { value });
  }
  return PRIVATE_KEY.test(JSON.stringify(value))
    ? unexpected(path, "must not hold a private key, which Helm and Pulumi would keep in plaintext", {
        value,
      })
    : undefined;
}

function nameProblem({ names, chart }: Names, { path, paths, value }: Leaf): Problem | undefined {
  if (names.includes(path) || paths.some((candidate) => names.includes(`${candidate}.*`))) {
    return undefined;
  }
  if (names.some((name) => name.startsWith(`${path}.`))) {
    return isObject(value) ? undefined : notAnObject(path, value);
  }
  return unexpected(path, `must be a value of ${chart}`, "is unknown");
}

function notAnObject(path: string, value: unknown): Problem {
  return unexpected(path, "must be an object, as in the chart's values.yaml", { value });
}

function namesOf({ chart, known }: ChartRules, source: string): Names | undefined {
  if (isChartDirectory(source)) {
    const names = directoryNames(join(source, chart));
    return names && { names, chart: `the chart in ${join(source, chart)}` };
  }
  return (
    known && {
      names: known.names,
      chart: `${chart} in ${known.release} (of a chart in a directory: its own)`,
    }
  );
}
