import assert from "node:assert/strict";

import { MeshGuard, type GuardMode } from "../../components";
import { record } from "../support/recorder";

interface Policy {
  failurePolicy: string;
  matchConstraints: unknown;
  variables: { name: string; expression: string }[];
  validations: { expression: string; messageExpression: string; reason: string }[];
}

describe("MeshGuard", () => {
  it("looks at the pods that the injector's webhook sees, when they are created", async () => {
    const recording = await record(() => new MeshGuard("guard"));
    const { inputs } = recording.get("ValidatingAdmissionPolicy", "guard-policy");
    assert.deepEqual(inputs.metadata, { name: "linkerd-mesh-guard" });
    const policy = inputs.spec as Policy;
    assert.equal(policy.failurePolicy, "Fail");
    assert.deepEqual(policy.matchConstraints, {
      resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"] }],
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
    });
  });

  it("refuses a pod that is wanted in the mesh and has no proxy", async () => {
    const recording = await record(() => new MeshGuard("guard"));
    const policy = recording.get("ValidatingAdmissionPolicy", "guard-policy").inputs.spec as Policy;
    const variables = Object.fromEntries(policy.variables.map(({ name, expression }) => [name, expression]));
    assert.deepEqual(variables, {
      onNamespace: "namespaceObject.metadata.?annotations[?'linkerd.io/inject'].orValue('')",
      onPod: "object.metadata.?annotations[?'linkerd.io/inject'].orValue('')",
      wanted:
        "variables.onNamespace in ['', 'enabled', 'ingress', 'disabled'] && " +
        "(variables.onPod == '' ? variables.onNamespace : variables.onPod) in ['enabled', 'ingress']",
      hostNetwork: "object.spec.?hostNetwork.orValue(false)",
      meshed:
        "object.spec.?containers.orValue([]).exists(c, c.name in ['linkerd-proxy']) || " +
        "object.spec.?initContainers.orValue([]).exists(c, c.name in ['linkerd-proxy'])",
      otherMesh:
        "object.spec.?containers.orValue([]).exists(c, c.name in ['istio-proxy', 'istio-init']) || " +
        "object.spec.?initContainers.orValue([]).exists(c, c.name in ['istio-proxy', 'istio-init'])",
      pod: "object.metadata.?name.orValue(object.metadata.?generateName.orValue('') + '*')",
    });
    assert.deepEqual(
      policy.validations.map(({ expression, reason }) => ({ expression, reason })),
      [
        {
          expression: "!variables.wanted || variables.hostNetwork || variables.otherMesh || variables.meshed",
          reason: "Forbidden",
        },
      ],
    );
    const message = policy.validations[0]?.messageExpression ?? "";
    for (const part of [
      "variables.pod",
      "namespaceObject.metadata.name",
      "will try again",
      "kubectl -n linkerd",
    ]) {
      assert.ok(message.includes(part), `${part} is missing in ${message}`);
    }
  });

  const actions: Record<GuardMode, string> = { deny: "Deny", warn: "Warn", audit: "Audit" };
  for (const [mode, action] of Object.entries(actions) as [GuardMode, string][]) {
    it(`acts with ${action} in mode ${mode}`, async () => {
      const recording = await record(() => new MeshGuard("guard", { mode }));
      assert.deepEqual(recording.get("ValidatingAdmissionPolicyBinding", "guard-binding").inputs, {
        apiVersion: "admissionregistration.k8s.io/v1",
        kind: "ValidatingAdmissionPolicyBinding",
        metadata: { name: "linkerd-mesh-guard" },
        spec: { policyName: "linkerd-mesh-guard", validationActions: [action] },
      });
    });
  }

  it("denies by default", async () => {
    const recording = await record(() => new MeshGuard("guard"));
    const { spec } = recording.get("ValidatingAdmissionPolicyBinding", "guard-binding").inputs;
    assert.deepEqual((spec as { validationActions: string[] }).validationActions, ["Deny"]);
  });

  it("refuses another mode", async () => {
    await assert.rejects(
      record(() => new MeshGuard("guard", { mode: "off" as GuardMode })),
      { errors: [{ propertyPath: "mode", reason: 'must be one of deny, warn, audit, but is "off"' }] },
    );
  });
});
