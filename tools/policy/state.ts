import { isProperties, type Properties, UNKNOWN } from "../../policy/known";
import { defaults, type Resource, type Rule } from "../../policy/rule";

/** What one resource of a state violates. */
export interface Violation {
  readonly urn: string;
  readonly rule: Pick<Rule, "name" | "enforcementLevel">;
  readonly message: string;
}

/** Settings by the name of a rule, as in a file of `--policy-pack-config`. */
export type Settings = Readonly<Record<string, object>>;

/** Marks of a secret in a state; `plaintext` is there with `pulumi stack export --show-secrets` only. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** A resource of a state, as far as it matters here. */
interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly protect?: boolean;
  readonly inputs?: Properties;
}

/**
 * The resources of a state that `pulumi stack export` has written. What is encrypted in it is not known.
 *
 * @throws Error where it is none.
 */
export function resourcesOf(state: unknown): Resource[] {
  const deployment = isProperties(state) ? state.deployment : undefined;
  if (!isProperties(deployment)) {
    throw new Error("it has no deployment, which the output of pulumi stack export has");
  }
  return ((deployment.resources ?? []) as readonly StateResource[]).map(
    ({ urn, type, protect = false, inputs = {} }) => ({
      urn,
      type,
      isProtected: protect,
      props: Object.fromEntries(Object.entries(inputs).map(([key, value]) => [key, reveal(value)])),
    }),
  );
}

/** A value without the marks of secrets. */
function reveal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reveal);
  if (!isProperties(value)) return value;
  if (value[SIGNATURE] === SECRET) {
    return typeof value.plaintext === "string" ? (JSON.parse(value.plaintext) as unknown) : UNKNOWN;
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, reveal(item)]));
}

/** All violations of the rules by resources, in the order of the resources. */
export function violationsOf(
  resources: readonly Resource[],
  rules: readonly Rule[],
  settings: Settings = {},
): Violation[] {
  return resources.flatMap((resource) =>
    rules.flatMap((rule) =>
      rule
        .violations(resource, { ...defaults(rule), ...settings[rule.name] })
        .map((message) => ({ urn: resource.urn, rule, message })),
    ),
  );
}
