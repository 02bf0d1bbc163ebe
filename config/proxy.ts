import { InjectMode, ProxySettings, proxySettingProblems } from "../components";
import { ConfigReader, describe, isObject, NAMESPACE, setCommand } from "./reader";

/**
 * Property `proxy` of a namespace or of a workload whose pods are injected as `inject` says. Pods of a workload have every
 * setting, a namespace only those that pods inherit.
 */
export function readProxySettings(
  reader: ConfigReader,
  settings: unknown,
  key: string,
  scope: "namespace" | "workload",
  inject: InjectMode | undefined,
): ProxySettings | undefined {
  if (settings === undefined) {
    return undefined;
  }
  if (inject === "disabled") {
    const rule = "must not be set where inject is disabled, because no proxy would read it";
    reader.superfluous(key, rule, "is set");
    return undefined;
  }
  if (!isObject(settings)) {
    const set = setCommand(`${key}.logLevel`, "warn");
    reader.problem(
      `${NAMESPACE}:${key}`,
      "must be an object of settings",
      `is ${describe(key, settings)}`,
      set,
    );
    return undefined;
  }
  const problems = proxySettingProblems(settings, scope);
  for (const { setting, rule, found, remedy } of problems) {
    const path = `${key}.${setting}`;
    const value = `is ${describe(path, found)}`;
    if (remedy === undefined) {
      reader.superfluous(path, rule, value);
    } else {
      reader.problem(`${NAMESPACE}:${path}`, rule, value, setCommand(`${key}.${remedy.path}`, remedy.value));
    }
  }
  // Every setting is known, and has a value of its kind.
  return problems.length === 0 ? settings : undefined;
}
