import { stringify } from "yaml";
import type { Case } from "./rows";

/** An image that does nothing; in the sandbox no image is pulled. */
const IMAGE = "registry.k8s.io/pause:3.10";

/** What the names of all application namespaces begin with. */
export const NAMESPACE_PREFIX = "bench-";

type Load = Pick<Case, "namespaces" | "deployments">;

function count(to: number): number[] {
  return Array.from({ length: to }, (_, index) => index + 1);
}

/** Names of the application namespaces. */
export function namespaceNames({ namespaces }: Pick<Load, "namespaces">): string[] {
  return count(namespaces).map((number) => `${NAMESPACE_PREFIX}${String(number).padStart(3, "0")}`);
}

function deploymentNames({ deployments }: Load): string[] {
  return count(deployments).map((number) => `app-${number}`);
}

const PODS = { containers: [{ name: "app", image: IMAGE }] };

/** The applications as the program's configuration key `namespaces`. */
export function configuration(load: Load): unknown[] {
  return namespaceNames(load).map((name) => ({
    name,
    workloads: deploymentNames(load).map((workload) => ({
      name: workload,
      kind: "Deployment",
      podSpec: PODS,
    })),
  }));
}

/** The same applications as a file for `kubectl apply`. */
export function manifests(load: Load): string {
  const objects = namespaceNames(load).flatMap((namespace) => [
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: namespace, annotations: { "linkerd.io/inject": "enabled" } },
    },
    ...deploymentNames(load).map((name) => {
      const labels = { "app.kubernetes.io/name": name };
      return {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name, namespace, labels },
        spec: {
          replicas: 1,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: PODS },
        },
      };
    }),
  ]);
  return objects.map((object) => stringify(object, { aliasDuplicateObjects: false })).join("---\n");
}
