import { isKubernetesNamespace, otherNamespace } from "../cluster/namespaceNames";
import { LINKERD_NAMESPACE, VIZ_NAMESPACE } from "../controlPlane/linkerdNamespace";
import { Problem } from "../validation/problem";

/** Namespaces that cannot be an application's, and why. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  [LINKERD_NAMESPACE, "it is the control plane's, which is never injected"],
  [VIZ_NAMESPACE, "it belongs to viz"],
  ["kube-system", "Linkerd's injector passes it over"],
  ["cert-manager", "Linkerd's injector passes it over"],
]);

/** Checks the name of a meshed namespace. `existing`: whether something else makes it. */
export function namespaceNameProblems(name: string, existing: boolean): Problem[] {
  const reason = REFUSED.get(name);
  if (reason !== undefined) {
    return [otherNamespace("name", name, reason)];
  }
  if (isKubernetesNamespace(name) && !existing) {
    const rule = "must be true for default and kube-*, which Kubernetes makes";
    return [{ path: "existing", rule, found: "is false", fixes: [{ set: "existing", to: "true" }] }];
  }
  return [];
}
