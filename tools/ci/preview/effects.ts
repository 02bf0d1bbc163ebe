import { isRelease, lastPart, objectOf } from "./changes";
import type { Step } from "./steps";
import { UNKNOWN } from "./values";

/** Pods that are replaced, and why. */
export interface Restart {
  readonly object: string;
  readonly reason: string;
}

/** Kinds whose controller replaces its pods when their template changes. */
const ROLLING = ["Deployment", "StatefulSet", "DaemonSet"];

const BUNDLE_ANNOTATION = "linkerd-mtls/trust-bundle-sha256";
const TAP_ANNOTATION = "linkerd-mtls/tap";
const BUNDLE_VALUE = "values.identityTrustAnchorsPEM";

/** Which running pods are replaced. */
export function restartsOf(steps: readonly Step[]): Restart[] {
  const bundleChanges = steps.some(
    ({ component, operation }) => lastPart(component.type) === "TrustAnchor" && operation !== "same",
  );
  const restarts = steps.flatMap((step) => {
    const kind = lastPart(step.type);
    const paths = step.differences.map(({ path }) => path);
    const template = paths.filter((path) => path.startsWith("spec.template"));
    if (ROLLING.includes(kind) && (template.length > 0 || step.operation === "replace")) {
      return [
        { object: objectOf(step), reason: step.operation === "replace" ? "replaced" : reasonOf(template) },
      ];
    }
    if (kind === "Job" && step.operation === "replace") {
      return [{ object: objectOf(step), reason: "replaced, it runs again" }];
    }
    if (isRelease(step) && ["update", "replace"].includes(step.operation)) {
      const unknown = step.differences.some(({ path, to }) => path === "values" && to === UNKNOWN);
      const bundle = paths.includes(BUNDLE_VALUE) || (unknown && bundleChanges);
      return [{ object: objectOf(step), reason: bundle ? "trust bundle" : "what its chart changes" }];
    }
    return [];
  });
  return restarts.sort((a, b) => a.object.localeCompare(b.object));
}

function reasonOf(template: readonly string[]): string {
  const reasons = template.map((path) => {
    if (path.includes(BUNDLE_ANNOTATION)) return "trust bundle";
    return path.includes(TAP_ANNOTATION) ? "tap" : "pod template";
  });
  return [...new Set(reasons)].join(", ");
}

/** Components whose certificates are issued: for the first time, or in place of one that is there. */
export interface Issued {
  readonly first: readonly string[];
  readonly reissued: readonly string[];
}

const CERTIFICATES = ["SelfSignedCert", "LocallySignedCert"];

/** Which certificates are issued. */
export function certificatesOf(steps: readonly Step[]): Issued {
  const issued = (operation: string): string[] => {
    const names = steps
      .filter((step) => CERTIFICATES.includes(lastPart(step.type)) && step.operation === operation)
      .map(({ component }) => component.name);
    return [...new Set(names)].sort();
  };
  return { first: issued("create"), reissued: issued("replace") };
}
