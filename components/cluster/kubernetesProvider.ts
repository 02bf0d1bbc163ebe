import { getVersion } from "@pulumi/kubernetes/utilities";
import * as pulumi from "@pulumi/pulumi";

/**
 * Has the engine start the Kubernetes provider now, and not at its first resource: it reads the whole API of the cluster
 * when it starts, which may take a second, in which the program looks at the cluster.
 */
export function startKubernetesProvider(): void {
  // The smallest question to the provider: it decodes no text. Where it cannot be asked, the first resource says why.
  pulumi.runtime
    .invoke("kubernetes:yaml:decode", { text: "" }, { version: getVersion() })
    .catch(() => undefined);
}
