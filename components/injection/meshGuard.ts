import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { ClusterAccess } from "../cluster/client";
import { marked, unlessForeign } from "../cluster/ownership";
import { throwInputProblems } from "../validation/inputProblems";
import { check } from "../validation/problem";
import { oneOf } from "../validation/rule";
import { ENFORCEMENT_ANNOTATION, enforcementGate } from "./enforcementGate";
import { type Sidecars, SIDECARS } from "./injectorRules";

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

/** Name of the policy that warns where the guard does not refuse. */
const WARNING_NAME = `${GUARD_NAME}-warning`;

/** Name of the binding behind the gate, see {@link MeshGuard.coverOthers}. */
const OTHERS_NAME = `${GUARD_NAME}-others`;

/** Names of its policies and bindings. */
export const GUARD_NAMES = [GUARD_NAME, WARNING_NAME, OTHERS_NAME] as const;

/** Label, with the value `true`, of namespaces whose pods the guard refuses from the start: they exist only after it. */
export const GUARDED_LABEL = "linkerd-mtls/guarded";

/** Arguments of a {@link MeshGuard}. */
export interface MeshGuardArgs {
  /** Default `deny`. */
  readonly mode?: GuardMode;
  /** The cluster, the same as the Kubernetes provider's. */
  readonly cluster: ClusterAccess;
}

/** The annotation's value, or "" where it is absent: the injector treats both alike. */
const inject = (object: string): string =>
  `${object}.metadata.?annotations[?'linkerd.io/inject'].orValue('')`;

const hasSidecar = (containers: string, { names, images }: Sidecars): string => {
  const conditions = [
    `c.name in [${names.map((name) => `'${name}'`).join(", ")}]`,
    ...images.map((prefix) => `c.?image.orValue('').startsWith('${prefix}')`),
  ];
  return `object.spec.?${containers}.orValue([]).exists(c, ${conditions.join(" || ")})`;
};

/**
 * The API server's own check, in CEL, that no pod is created outside the mesh where injection is wanted. Validating
 * admission comes after mutating admission, so it sees what the injector has done; it holds for every pod of every
 * namespace, whoever deploys it.
 *
 * It calls nothing, so it answers even when nothing else does. But the pods that it refuses wait for the injector, and so
 * does whatever waits for them. So it never refuses what the injector may need: Linkerd's own pods, the namespaces that
 * the injector's webhook excludes, and system-critical pods, of which it warns. Neither does it refuse pods of others
 * before injection was ever proven: see {@link coverOthers}.
 *
 * The rules are the injector's (linkerd2, pkg/inject/report.go): a pod's annotation counts before its namespace's, an
 * invalid value of either skips injection, and so do the host network and a sidecar that is there already.
 */
export class MeshGuard extends pulumi.ComponentResource {
  /** Name of the policy. */
  public readonly policyName: pulumi.Output<string>;

  private readonly mode: GuardMode;
  private readonly cluster: ClusterAccess;

  public constructor(name: string, args: MeshGuardArgs, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:MeshGuard", name, {}, opts);

    const { mode = "deny", cluster } = args;
    throwInputProblems(`MeshGuard ${name}`, check("mode", mode, GUARD_MODE));
    this.mode = mode;
    this.cluster = cluster;

    const bound = (
      part: string,
      policyName: string,
      action: GuardMode,
      where: BindingSpec = {},
    ): pulumi.Output<string> => {
      const metadata = { name: policyName, annotations: marked(this.cluster) };
      const policy = new k8s.admissionregistration.v1.ValidatingAdmissionPolicy(
        `${name}-${part}policy`,
        { metadata, spec: policySpec(action) },
        this.own(`${name}-${part}policy`, { parent: this }),
      );
      return new k8s.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
        `${name}-${part}binding`,
        { metadata, spec: { ...actions(action), ...where, policyName: policy.metadata.name } },
        this.own(`${name}-${part}binding`, { parent: this }),
      ).spec.policyName;
    };
    if (mode === "deny") {
      this.policyName = bound("", GUARD_NAME, mode, guarded("Exists"));
      bound("warning-", WARNING_NAME, "warn");
    } else {
      this.policyName = bound("", GUARD_NAME, mode);
    }
    this.registerOutputs({ policyName: this.policyName });
  }

  /**
   * Refuses pods in the namespaces that are not labelled {@link GUARDED_LABEL}, too, which may have existed before. Until
   * then it warns of them. Call it with a dependency on the gate that proves injection. A deployment does not end before
   * the API server refuses them.
   *
   * @returns What is there once they are refused; undefined where they never are.
   */
  public coverOthers(name: string, opts?: pulumi.CustomResourceOptions): pulumi.Resource | undefined {
    if (this.mode === "deny") {
      const { cluster, policyName } = this;
      const binding = new k8s.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
        `${name}-binding`,
        {
          metadata: { name: OTHERS_NAME, annotations: marked(cluster) },
          spec: { ...actions(this.mode), ...guarded("DoesNotExist"), policyName },
        },
        this.own(`${name}-binding`, opts),
      );
      const enforced = { parent: opts?.parent, dependsOn: binding };
      return enforcementGate(`${name}-enforced`, { policyName, cluster }, enforced);
    }
    return undefined;
  }

  /** Options of an object that must not be somebody else's. */
  private own(name: string, opts?: pulumi.CustomResourceOptions): pulumi.CustomResourceOptions {
    return { ...opts, hooks: { beforeCreate: [unlessForeign(name, this.cluster)] } };
  }
}

/** Refuses the pod that is tried to see whether the policy is enforced. */
const REFUSED_PROBE = {
  expression: `!object.metadata.?annotations[?'${ENFORCEMENT_ANNOTATION}'].hasValue()`,
  message: "the guard is enforced",
  reason: "Forbidden",
};

type BindingSpec = Pick<
  k8s.types.input.admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec,
  "validationActions" | "matchResources"
>;

function actions(mode: GuardMode): BindingSpec {
  return { validationActions: [VALIDATION_ACTIONS[mode]] };
}

/** The part of a binding that says in which namespaces it holds: those that exist only after the guard, or the others. */
export function guarded(operator: "Exists" | "DoesNotExist"): BindingSpec {
  return {
    matchResources: {
      ...MATCH_POLICY,
      namespaceSelector: { matchExpressions: [{ key: GUARDED_LABEL, operator }] },
      objectSelector: {},
    },
  };
}

/**
 * A default, written out as all others below: the API server adds them to what is one field for server-side apply, and a
 * deployment that was killed while it created the object could not create it again for a conflict with itself.
 */
const MATCH_POLICY = { matchPolicy: "Equivalent" };

/** The policy of the guard, as it acts on what it finds. */
export function policySpec(
  mode: GuardMode,
): k8s.types.input.admissionregistration.v1.ValidatingAdmissionPolicySpec {
  const denies = mode === "deny";
  const outcome = denies
    ? "Its controller will try again. If it lasts, look at"
    : "If it is created all the same, it is outside the mesh until it is recreated. Look at";
  return {
    failurePolicy: "Fail",
    matchConstraints: {
      ...MATCH_POLICY,
      resourceRules: [
        { apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"], scope: "*" },
      ],
      // The same pods as the injector's webhook (chart values proxyInjector.namespaceSelector, objectSelector).
      namespaceSelector: {
        matchExpressions: [
          { key: "config.linkerd.io/admission-webhooks", operator: "NotIn", values: ["disabled"] },
          { key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["kube-system", "cert-manager"] },
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
      {
        // The proxy that was injected, or what the injector passes over.
        name: "sidecar",
        expression: [
          hasSidecar("containers", SIDECARS.anywhere),
          hasSidecar("initContainers", SIDECARS.anywhere),
          hasSidecar("initContainers", SIDECARS.init),
        ].join(" || "),
      },
      {
        name: "critical",
        expression:
          "object.spec.?priorityClassName.orValue('') in ['system-cluster-critical', 'system-node-critical']",
      },
      {
        name: "pod",
        expression: "object.metadata.?name.orValue(object.metadata.?generateName.orValue('') + '*')",
      },
    ],
    validations: [
      {
        expression: `!variables.wanted || variables.hostNetwork || variables.sidecar${denies ? " || variables.critical" : ""}`,
        messageExpression:
          "'pod ' + variables.pod + ' in namespace ' + namespaceObject.metadata.name + " +
          "' must have a Linkerd proxy (linkerd.io/inject: ' + " +
          "(variables.onPod == '' ? variables.onNamespace + ' on the namespace' : variables.onPod + ' on the pod') + " +
          `') and was not injected: the proxy injector did not answer in time. ${outcome}: ` +
          "kubectl -n linkerd get pods -l linkerd.io/control-plane-component=proxy-injector'",
        // Where the message cannot be computed.
        message: `the pod must have a Linkerd proxy and was not injected${denies ? "; its controller will try again" : ""}`,
        reason: "Forbidden",
      },
      ...(denies ? [REFUSED_PROBE] : []),
    ],
  };
}
