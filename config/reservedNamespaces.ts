import { isKubernetesNamespace, LINKERD_NAMESPACE, otherNamespace, VIZ_NAMESPACE } from "../components/rules";
import { ConfigStack } from "./keys";

const LINKERDS = [LINKERD_NAMESPACE, VIZ_NAMESPACE];

/**
 * Namespaces that the stack makes for sample applications, cert-manager and trust-manager, and for what, so that no two
 * resources make one namespace. Reports cert-manager and trust-manager in a namespace that is something else's; the two
 * may share one.
 */
export function reservedNamespaces(
  stack: ConfigStack,
  samples: readonly string[],
): ReadonlyMap<string, string> {
  const { certificates, certManager, trustManager } = stack.settings;
  const reserved = new Map(samples.map((name) => [name, "it belongs to a sample application"]));
  const managers = [
    { key: "certManager", name: certManager.namespace, installed: certManager.install },
    {
      key: "trustManager",
      name: trustManager.namespace,
      installed: trustManager.enabled && trustManager.install,
    },
  ] as const;
  const installed = managers.filter((manager) => certificates === "cert-manager" && manager.installed);
  for (const { key, name } of installed) {
    const reason =
      reserved.get(name) ??
      (LINKERDS.includes(name)
        ? "it is Linkerd's"
        : isKubernetesNamespace(name)
          ? "Kubernetes makes it"
          : "");
    if (reason !== "") {
      stack.at(key).report(otherNamespace("namespace", name, reason));
    }
  }
  return new Map([
    ...installed.map(({ key, name }): [string, string] => [name, `it belongs to the key ${key}`]),
    ...reserved,
  ]);
}
