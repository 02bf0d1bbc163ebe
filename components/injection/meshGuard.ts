import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { throwInputProblems } from "../validation/inputProblems";
import { check } from "../validation/problem";
import { oneOf } from "../validation/rule";

/** What happens to a pod that should be meshed and is not: refused, created with a warning, or written to the audit log. */
export type GuardMode = "deny" | "warn" | "audit";

const VALIDATION_ACTIONS = { deny: "Deny", warn: "Warn", audit: "Audit" } as const satisfies Record<
  GuardMode,
  string
>;

/** Rule of a {@link GuardMode}. */
export const GUARD_MODE = oneOf<GuardMode>(["deny", "warn", "audit"]);

/** Name of the policy; the injection gate recognizes a refusal by it. */
export const GUARD_NAME = "linkerd-mesh-guard";

/** Arguments of a {@link MeshGuard}. */
export interface MeshGuardArgs {
  /** Default `deny`. */
  readonly mode?: GuardMode;
}

/** The annotation's value, or "" where it is absent: the injector treats both alike. */
const inject = (object: string): string =>
  `${object}.metadata.?annotations[?'linkerd.io/inject'].orValue('')`;

/** Whether a container in one of the lists has one of the names. */
const hasContainer = (...names: string[]): string => {
  const list = `[${names.map((name) => `'${name}'`).join(", ")}]`;
  return ["object.spec.?containers", "object.spec.?initContainers"]
    .map((containers) => `${containers}.orValue([]).exists(c, c.name in ${list})`)
    .join(" || ");
};

/**
 * The API server's own check, in CEL, that no pod is created outside the mesh where injection is wanted. It calls
 * nothing, so it cannot deadlock a cluster. Validating admission comes after mutating admission, so it sees what the
 * injector has done; it holds for every pod of every namespace, whoever deploys it.
 *
 * The rules are the injector's (linkerd2, pkg/inject/report.go): a pod's annotation counts before its namespace's, an
 * invalid value of either skips injection, and so do the host network and another mesh's sidecar.
 */
export class MeshGuard extends pulumi.ComponentResource {
  /** Name of the policy and of its binding. */
  public readonly policyName: pulumi.Output<string>;

  public constructor(name: string, args: MeshGuardArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:MeshGuard", name, {}, opts);

    const mode = args.mode ?? "deny";
    throwInputProblems(`MeshGuard ${name}`, check("mode", mode, GUARD_MODE));

    const policy = new k8s.admissionregistration.v1.ValidatingAdmissionPolicy(
      `${name}-policy`,
      {
        metadata: { name: GUARD_NAME },
        spec: {
          failurePolicy: "Fail",
          matchConstraints: {
            resourceRules: [
              { apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"] },
            ],
            // The same pods as the injector's webhook (chart values proxyInjector.namespaceSelector, objectSelector).
            namespaceSelector: {
              matchExpressions: [
                { key: "config.linkerd.io/admission-webhooks", operator: "NotIn", values: ["disabled"] },
                {
                  key: "kubernetes.io/metadata.name",
                  operator: "NotIn",
                  values: ["kube-system", "cert-manager"],
                },
              ],
            },
            objectSelector: {
              matchExpressions: [
                { key: "linkerd.io/control-plane-component", operator: "DoesNotExist" },
                { key: "linkerd.io/cni-resource", operator: "DoesNotExist" },
              ],
            },
          },
          variables: [
            { name: "onNamespace", expression: inject("namespaceObject") },
            { name: "onPod", expression: inject("object") },
            {
              name: "wanted",
              expression:
                "variables.onNamespace in ['', 'enabled', 'ingress', 'disabled'] && " +
                "(variables.onPod == '' ? variables.onNamespace : variables.onPod) in ['enabled', 'ingress']",
            },
            { name: "hostNetwork", expression: "object.spec.?hostNetwork.orValue(false)" },
            { name: "meshed", expression: hasContainer("linkerd-proxy") },
            { name: "otherMesh", expression: hasContainer("istio-proxy", "istio-init") },
            {
              name: "pod",
              expression: "object.metadata.?name.orValue(object.metadata.?generateName.orValue('') + '*')",
            },
          ],
          validations: [
            {
              expression:
                "!variables.wanted || variables.hostNetwork || variables.otherMesh || variables.meshed",
              messageExpression:
                "'pod ' + variables.pod + ' in namespace ' + namespaceObject.metadata.name + " +
                "' must have a Linkerd proxy (linkerd.io/inject: ' + " +
                "(variables.onPod == '' ? variables.onNamespace + ' on the namespace' : variables.onPod + ' on the pod') + " +
                "') and was not injected: the proxy injector did not answer in time. Its controller will try again. " +
                "If it lasts, look at: kubectl -n linkerd get pods -l linkerd.io/control-plane-component=proxy-injector'",
              // Where the message cannot be computed.
              message:
                "the pod must have a Linkerd proxy and was not injected; its controller will try again",
              reason: "Forbidden",
            },
          ],
        },
      },
      { parent: this },
    );
    const binding = new k8s.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
      `${name}-binding`,
      {
        metadata: { name: GUARD_NAME },
        spec: { policyName: policy.metadata.name, validationActions: [VALIDATION_ACTIONS[mode]] },
      },
      { parent: this },
    );

    this.policyName = binding.metadata.name;
    this.registerOutputs({ policyName: this.policyName });
  }
}
