import { CoreV1Api, type V1ConfigMap, type V1Pod } from "@kubernetes/client-node";

import type { TestSandbox } from "./testSandbox";

/** Name of the ConfigMap with the trust bundle, and of trust-manager's Bundle. */
export const TRUST_ROOTS = "linkerd-identity-trust-roots";

/** The ConfigMap with the trust bundle. */
export function trustRoots(sandbox: TestSandbox): Promise<V1ConfigMap> {
  return sandbox.client(CoreV1Api).readNamespacedConfigMap({ namespace: "linkerd", name: TRUST_ROOTS });
}

/** The certificates of a bundle, each as its PEM. */
export function pemsOf(text = ""): string[] {
  return text
    .split(/(?<=-----END CERTIFICATE-----)/)
    .map((pem) => pem.trim())
    .filter((pem) => pem !== "");
}

/** The trust anchors that the injector has given to a pod's proxy. */
export function anchorsOf({ spec }: V1Pod): string | undefined {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const proxy = containers.find(({ name }) => name === "linkerd-proxy");
  return proxy?.env?.find(({ name }) => name === "LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS")?.value?.trim();
}
