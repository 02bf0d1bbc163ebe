import { invalid, Problem } from "../validation/problem";
import { DNS_LABEL } from "../validation/rule";

/** Whether Kubernetes makes the namespace: each cluster has `default`, and `kube-` is the prefix of its own. */
export function isKubernetesNamespace(name: string): boolean {
  return name === "default" || name.startsWith("kube-");
}

/** A namespace that is reserved for something else. */
export function otherNamespace(path: string, name: string, reason: string): Problem {
  return invalid(path, { ...DNS_LABEL, rule: `must be another namespace (${reason})` }, name);
}
