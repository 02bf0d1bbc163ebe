import { isObject, Problem, Properties, unexpected } from "../validation/problem";

/** What makes a container a sidecar: its name, or how the reference of its image begins. */
export interface Sidecars {
  readonly names: readonly string[];
  readonly images: readonly string[];
}

/**
 * Pods that the injector passes over, because they have a sidecar already (linkerd2, pkg/healthcheck/sidecar.go). Up to
 * edge-23.4.3 at least, it looked for `anywhere` among the ordinary containers only: native sidecars came later.
 */
export const SIDECARS = {
  /** Among the containers and the init containers. */
  anywhere: {
    names: ["linkerd-proxy", "istio-proxy"],
    images: ["cr.l5d.io/linkerd/proxy:", "gcr.io/istio-release/proxyv2:"],
  },
  /** Among the init containers only. */
  init: {
    names: ["linkerd-init", "istio-init"],
    images: ["cr.l5d.io/linkerd/proxy-init:", "gcr.io/istio-release/proxy_init:"],
  },
} as const satisfies Record<string, Sidecars>;

const RULE = "must not be set where the pods are injected, because Linkerd's injector passes over";

/** Checks a pod's specification for what makes the injector (linkerd2, pkg/inject/report.go) pass it over. */
export function passedOverProblems(podSpec: unknown): Problem[] {
  const { hostNetwork, containers, initContainers }: Properties = isObject(podSpec) ? podSpec : {};
  return [
    ...(hostNetwork === true
      ? [unexpected("hostNetwork", `${RULE} pods on the host network`, { value: hostNetwork })]
      : []),
    ...sidecarProblems("containers", containers, [SIDECARS.anywhere]),
    ...sidecarProblems("initContainers", initContainers, [SIDECARS.anywhere, SIDECARS.init]),
  ];
}

function sidecarProblems(property: string, containers: unknown, sidecars: readonly Sidecars[]): Problem[] {
  const list: readonly unknown[] = Array.isArray(containers) ? containers : [];
  return list.flatMap((container, index) => {
    const { name, image }: Properties = isObject(container) ? container : {};
    const path = `${property}[${index}]`;
    const named = sidecars.some(({ names }) => names.some((known) => known === name));
    const imaged = sidecars.some(({ images }) =>
      images.some((prefix) => typeof image === "string" && image.startsWith(prefix)),
    );
    return [
      ...(named ? [sidecar(`${path}.name`, "name", name)] : []),
      ...(imaged ? [sidecar(`${path}.image`, "image", image)] : []),
    ];
  });
}

function sidecar(path: string, what: "name" | "image", value: unknown): Problem {
  return {
    path,
    rule: `must be another ${what} where the pods are injected, because Linkerd's injector takes the container for a sidecar`,
    found: { value },
    fixes: [{ set: path, to: `<${what}>` }],
  };
}
