import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "yaml";

import { isObject } from "../validation/problem";

/** An optional value that a values.yaml shows in a comment, at the indentation of its siblings: `# tolerations:`. */
const COMMENTED_NAME = /^( *)# ?([a-z]\w*:(?: +("[^"]*"|true|false|\d+))?) *$/gm;

/** A name that a chart can use in its templates; others are names of users, e.g. `kubernetes.io/os`. */
const NAME = /^[A-Za-z][\w-]*$/;

/** Objects that charts copy as they are: Kubernetes' own types, and configuration of other programs. */
const COPIED =
  /(Affinity|Annotations|Labels|Selector)$|^(affinity|annotations|args|config|deploymentStrategy|globalConfig|labels|meshedHttp2ClientProtobuf|securityContext|strategy)$/;

/** A value that a template uses. */
const REFERENCE = /\.Values\.([A-Za-z]\w*(?:\.[A-Za-z]\w*)*)/g;

/** The files of a chart that say which values it has. */
export interface ChartTexts {
  /** Its values.yaml. */
  readonly values: string;
  /** Its own templates. */
  readonly templates: string;
  /** Templates of the charts inside it, which serve other charts too. */
  readonly subchartTemplates: string;
}

/**
 * The paths of a chart's values, e.g. `proxy.logLevel`: those in its values.yaml, also in comments, and those that only a
 * template uses. A path that ends with `.*` takes any value, e.g. `podAnnotations.*`.
 */
export function valueNames({ values, templates, subchartTemplates }: ChartTexts): string[] {
  const names = pathsOf(parseValues(values) ?? {}, "");
  const isNamed = (path: string): boolean =>
    names.some((name) => name.startsWith(path) && /^(\.|$)/.test(name.slice(path.length))) ||
    names.some((name) => name.endsWith(".*") && path.startsWith(name.slice(0, -1)));
  const own = referencesIn(templates);
  const shared = referencesIn(subchartTemplates).filter((path) => isNamed(path.split(".", 1).join()));
  const unnamed = [...own, ...shared].filter((path) => !isNamed(path));
  return [...new Set([...names, ...unnamed.map((path) => `${path}.*`)])].sort();
}

/** The names of the chart in a directory; undefined where Helm checks them by the chart's schema. */
export function directoryNames(directory: string): string[] | undefined {
  if (existsSync(join(directory, "values.schema.json"))) {
    return undefined;
  }
  return valueNames({
    values: existsSync(join(directory, "values.yaml")) ? readText(join(directory, "values.yaml")) : "",
    templates: textIn(join(directory, "templates")),
    subchartTemplates: textIn(join(directory, "charts")),
  });
}

/** The text of all files of a directory, which may not exist. */
function textIn(directory: string): string {
  const entries = existsSync(directory)
    ? readdirSync(directory, { recursive: true, withFileTypes: true })
    : [];
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => readText(join(parentPath, name)))
    .join("\n");
}

function readText(file: string): string {
  return readFileSync(file, "utf8");
}

function referencesIn(templates: string): string[] {
  return [...templates.matchAll(REFERENCE)].flatMap(([, path]) => path ?? []);
}

function parseValues(text: string): unknown {
  const options = { uniqueKeys: false };
  try {
    return parse(text.replace(COMMENTED_NAME, "$1$2"), options);
  } catch {
    // A comment that only looks like a name.
    return parse(text, options);
  }
}

function pathsOf(value: unknown, path: string): string[] {
  if (!isObject(value)) {
    return [value === null ? `${path}.*` : path];
  }
  const names = Object.keys(value);
  const isCopied =
    names.length === 0 ||
    names.some((name) => !NAME.test(name)) ||
    COPIED.test(path.slice(path.lastIndexOf(".") + 1));
  return path !== "" && isCopied
    ? [`${path}.*`]
    : names.flatMap((name) => pathsOf(value[name], path === "" ? name : `${path}.${name}`));
}
