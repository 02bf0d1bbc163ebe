import type { Difference } from "./differences";
import { code } from "../markdown";
import { type Dependencies, order, reverse } from "./order";
import type { Step } from "./steps";

/** What happens to one object of the cluster, or to one component's keys and certificates. */
export interface Change {
  /** Changes with a lower number come first, those with the same one go together. */
  readonly order: number;
  /** `create`, `update`, `replace` or `delete`. */
  readonly operation: string;
  /** E.g. `Deployment shop/web` or `IdentityIssuer identity-issuer`. */
  readonly object: string;
  /** What changes, where properties do not say it, as Markdown of one line. */
  readonly note?: string;
  readonly differences: readonly Difference[];
  /** Of an object of the cluster that is made. */
  readonly inputs?: Readonly<Record<string, unknown>>;
}

/** What the stack has now, and what it will have. */
export interface Graphs {
  readonly now: Dependencies;
  readonly next: Dependencies;
}

/** Groups the engine's steps into changes and puts them in order; deletions come last. */
export function changesOf(steps: readonly Step[], { now, next }: Graphs): Change[] {
  const isDeletion = ({ operation }: Step): boolean => operation === "delete";
  const made = ordered(group(steps.filter((step) => !isDeletion(step))), next, 0);
  const last = Math.max(0, ...made.map((change) => change.order));
  return [...made, ...ordered(group(steps.filter(isDeletion)), reverse(now), last)];
}

/** How many objects, and keys and certificates of components, stay wholly as they are. */
export function unchangedOf(steps: readonly Step[], unchanged: readonly Step[]): number {
  const touched = new Set(steps.map(keyOf));
  return group(unchanged.filter((step) => !touched.has(keyOf(step)))).length;
}

function ordered(groups: readonly (readonly Step[])[], dependencies: Dependencies, after: number): Change[] {
  const numbers = order(
    groups.map((steps) => steps.map(({ urn }) => urn)),
    dependencies,
  );
  return groups
    .map((steps, index) => ({ order: after + (numbers[index] ?? 1), ...describe(steps) }))
    .sort((a, b) => a.order - b.order || a.object.localeCompare(b.object));
}

/** An object of the cluster stands for itself; keys, certificates and other counters are told by their component. */
function group(steps: readonly Step[]): Step[][] {
  const groups = new Map<string, Step[]>();
  for (const step of steps) {
    groups.set(keyOf(step), [...(groups.get(keyOf(step)) ?? []), step]);
  }
  return [...groups.values()];
}

function keyOf(step: Step): string {
  return isObject(step) ? step.urn : `${step.component.type} ${step.component.name}`;
}

function describe(steps: readonly Step[]): Omit<Change, "order"> {
  const [first] = steps;
  if (first === undefined) throw new Error("a change has at least one step");
  if (isObject(first)) {
    const { operation, inputs } = first;
    return {
      operation,
      object: objectOf(first),
      differences: contents(first),
      ...(operation === "create" && { inputs: isRelease(first) ? chosen(inputs) : inputs }),
    };
  }
  const operations = [...new Set(steps.map(({ operation }) => operation))];
  return {
    operation: operations.length === 1 ? first.operation : "update",
    object: `${lastPart(first.component.type)} ${first.component.name}`,
    note: noteOf(steps),
    differences: [],
  };
}

/** Whether it is an object of the cluster or a Helm release. */
function isObject({ type }: Step): boolean {
  return type.startsWith("kubernetes:");
}

/** What is not a default of the provider, which fills in all that a Helm release can have. */
function chosen(release: Step["inputs"]): Step["inputs"] {
  return Object.fromEntries(Object.entries(release).filter(([, value]) => value !== false && value !== ""));
}

/** Kind, namespace and name. */
export function objectOf({ type, name, inputs }: Step): string {
  const metadata = (inputs.metadata ?? inputs) as { readonly name?: unknown; readonly namespace?: unknown };
  const kind = isRelease({ type }) ? "Helm release" : lastPart(type);
  const path = [metadata.namespace, metadata.name ?? name].filter((part) => typeof part === "string");
  return `${kind} ${path.join("/")}`;
}

/** Whether it is a Helm release. */
export function isRelease({ type }: Pick<Step, "type">): boolean {
  return type === "kubernetes:helm.sh/v3:Release";
}

/** What the engine names and what is no change is left out. */
function contents(step: Step): readonly Difference[] {
  const { type, operation, differences } = step;
  // The version of a chart in a directory is known only when it is installed.
  if (isRelease(step)) return differences.filter(({ path, to }) => path !== "version" || to !== "");
  // Pulumi writes a Secret's `stringData` as `data` only when it is applied.
  if (lastPart(type) !== "Secret") return differences;
  const isContent = ({ path }: Difference): boolean => /^(data|stringData)\b/.test(path);
  const others = differences.filter((difference) => !isContent(difference));
  // The engine may name none, because it hides all of a Secret whose contents are secret before and after.
  const isChanged = others.length < differences.length || (operation === "update" && others.length === 0);
  return isChanged ? [...others, { path: "data", to: "(secret)" }] : others;
}

const WORDS: Readonly<Record<string, string>> = {
  "tls:index/privateKey:PrivateKey": "key",
  "tls:index/selfSignedCert:SelfSignedCert": "certificate",
  "tls:index/locallySignedCert:LocallySignedCert": "certificate",
};

function noteOf(steps: readonly Step[]): string {
  if (steps.some(({ component }) => lastPart(component.type) === "InjectionGate")) {
    return "asks the API server whether pods are injected";
  }
  const words = steps.map(({ type }) => WORDS[type]).filter((word) => word !== undefined);
  if (words.length === 0) {
    return steps.map(({ type, name }) => code(`${lastPart(type)} ${name}`)).join(", ");
  }
  return [...new Set(Object.values(WORDS))]
    .filter((word) => words.includes(word))
    .map((word) => {
      const number = words.filter((other) => other === word).length;
      return number === 1 ? word : `${number} ${word}s`;
    })
    .join(" and ");
}

/** The last part of a type: `Namespace` of `kubernetes:core/v1:Namespace`. */
export function lastPart(type: string): string {
  return type.split(":").at(-1) ?? type;
}
