import { GUARD_NAME } from "../../components/injection/meshGuard";
import { at, UNKNOWN } from "../known";
import { isOf, nameOf, type OfStacks, type Resource, type Rule, STACKS } from "../rule";

const ADMISSION = "kubernetes:admissionregistration.k8s.io/v1:";

/** While nobody can say whether a pod is meshed, production refuses it: webhooks, the guard and its bindings. */
export const failClosed: Rule<OfStacks> = {
  name: "fail-closed",
  description: "Production must refuse what its webhooks and guard cannot check.",
  enforcementLevel: "mandatory",
  properties: { stacks: STACKS },
  violations: (resource, settings) =>
    isOf(resource, settings) ? problems(resource).map((problem) => `${nameOf(resource)} ${problem}`) : [],
};

function problems({ type, props }: Resource): string[] {
  switch (type) {
    case "kubernetes:helm.sh/v3:Release":
      return isControlPlane(props.chart) && !isFail(at(props, "values", "webhookFailurePolicy"), "Ignore")
        ? [
            "lets pods through while the injector does not answer; webhookFailurePolicy must be Fail. " +
              "pulumi config set linkerd-mtls:webhookFailurePolicy Fail",
          ]
        : [];
    case `${ADMISSION}ValidatingAdmissionPolicy`:
      return isFail(at(props, "spec", "failurePolicy"), "Fail")
        ? []
        : ["lets through what it cannot evaluate; spec.failurePolicy must be Fail. Set it, or leave it out."];
    case `${ADMISSION}ValidatingAdmissionPolicyBinding`:
      return refuses(props.spec)
        ? []
        : [
            "does not refuse pods without a proxy; the guard's validationActions must have Deny. " +
              "pulumi config set linkerd-mtls:guardMode deny",
          ];
    case `${ADMISSION}MutatingWebhookConfiguration`:
    case `${ADMISSION}ValidatingWebhookConfiguration`:
      return ((props.webhooks ?? []) as readonly object[])
        .filter((webhook) => !isFail(at(webhook, "failurePolicy"), "Fail"))
        .map(
          (webhook) =>
            `lets through what its webhook ${String(at(webhook, "name"))} does not answer; failurePolicy must be Fail. ` +
            "Set it, or leave it out.",
        );
    default:
      return [];
  }
}

/** @param otherwise What holds where nothing is set. */
function isFail(policy: unknown, otherwise: "Fail" | "Ignore"): boolean {
  return policy === UNKNOWN || (policy ?? otherwise) === "Fail";
}

/** By its name in a repository, or its directory. */
function isControlPlane(chart: unknown): boolean {
  return typeof chart === "string" && /(^|\/)linkerd-control-plane$/.test(chart);
}

/** The bindings of other policies, and of the guard's that only warns of what it must not refuse, may do what they like. */
function refuses(spec: unknown): boolean {
  const actions = at(spec, "validationActions");
  return (
    at(spec, "policyName") !== GUARD_NAME ||
    actions === UNKNOWN ||
    (Array.isArray(actions) && actions.includes("Deny"))
  );
}
