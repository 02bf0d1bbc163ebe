import assert from "node:assert/strict";

import { InjectionGate, MeshGuard } from "../../components";
import type { GuardMode } from "../../components/injection/meshGuard";
import { MARK } from "../support/mark";
import { record, type Recording } from "../support/recorder";

interface Policy {
  failurePolicy: string;
  matchConstraints: unknown;
  variables: { name: string; expression: string }[];
  validations: { expression: string; messageExpression: string; message: string; reason: string }[];
}

describe("MeshGuard", () => {
  it("looks at the pods that the injector's webhook sees, when they are created", async () => {
    const recording = await record(() => new MeshGuard("guard", { cluster: {} }));
    const { inputs } = recording.get("ValidatingAdmissionPolicy", "guard-policy");
    assert.deepEqual(inputs.metadata, { name: "linkerd-mesh-guard", annotations: MARK });
    const policy = inputs.spec as Policy;
    assert.equal(policy.failurePolicy, "Fail");
    assert.deepEqual(policy.matchConstraints, {
      matchPolicy: "Equivalent",
      resourceRules: [
        { apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"], scope: "*" },
      ],
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
    const recording = await record(() => new MeshGuard("guard", { cluster: {} }));
    const policy = recording.get("ValidatingAdmissionPolicy", "guard-policy").inputs.spec as Policy;
    const variables = Object.fromEntries(policy.variables.map(({ name, expression }) => [name, expression]));
    assert.deepEqual(variables, {
      onNamespace: "namespaceObject.metadata.?annotations[?'linkerd.io/inject'].orValue('')",
      onPod: "object.metadata.?annotations[?'linkerd.io/inject'].orValue('')",
      wanted:
        "variables.onNamespace in ['', 'enabled', 'ingress', 'disabled'] && " +
        "(variables.onPod == '' ? variables.onNamespace : variables.onPod) in ['enabled', 'ingress']",
      hostNetwork: "object.spec.?hostNetwork.orValue(false)",
      sidecar:
        "object.spec.?containers.orValue([]).exists(c, c.name in ['linkerd-proxy', 'istio-proxy'] || " +
        "c.?image.orValue('').startsWith('cr.l5d.io/linkerd/proxy:') || " +
        "c.?image.orValue('').startsWith('gcr.io/istio-release/proxyv2:')) || " +
        "object.spec.?initContainers.orValue([]).exists(c, c.name in ['linkerd-proxy', 'istio-proxy'] || " +
        "c.?image.orValue('').startsWith('cr.l5d.io/linkerd/proxy:') || " +
        "c.?image.orValue('').startsWith('gcr.io/istio-release/proxyv2:')) || " +
        "object.spec.?initContainers.orValue([]).exists(c, c.name in ['linkerd-init', 'istio-init'] || " +
        "c.?image.orValue('').startsWith('cr.l5d.io/linkerd/proxy-init:') || " +
        "c.?image.orValue('').startsWith('gcr.io/istio-release/proxy_init:'))",
      critical:
        "object.spec.?priorityClassName.orValue('') in ['system-cluster-critical', 'system-node-critical']",
      pod: "object.metadata.?name.orValue(object.metadata.?generateName.orValue('') + '*')",
    });
    assert.deepEqual(
      policy.validations.map(({ expression, reason }) => ({ expression, reason })),
      [
        {
          expression: "!variables.wanted || variables.hostNetwork || variables.sidecar || variables.critical",
          reason: "Forbidden",
        },
        {
          expression: "!object.metadata.?annotations[?'linkerd-mtls/guard-probe'].hasValue()",
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

  const bindings = (recording: Recording) =>
    recording.resources
      .filter(({ type }) => type.endsWith(":ValidatingAdmissionPolicyBinding"))
      .map(({ inputs: { metadata, spec } }) => ({
        name: (metadata as { name: string }).name,
        ...(spec as object),
      }))
      .sort((one, other) => one.name.localeCompare(other.name));
  // The API server's defaults are written out, so that the same object can be applied again after a kill.
  const selector = (operator: string) => ({
    matchPolicy: "Equivalent",
    objectSelector: {},
    namespaceSelector: { matchExpressions: [{ key: "linkerd-mtls/guarded", operator }] },
  });

  it("refuses in guarded namespaces from the start, and in others behind the gate", async () => {
    const recording = await record(() => {
      const gate = new InjectionGate("gate", { controlPlane: {}, cluster: {} });
      new MeshGuard("guard", { cluster: {} }).coverOthers("others", { dependsOn: gate });
    });
    const policyName = "linkerd-mesh-guard";
    assert.deepEqual(bindings(recording), [
      { name: policyName, policyName, validationActions: ["Deny"], matchResources: selector("Exists") },
      {
        name: "linkerd-mesh-guard-others",
        policyName,
        validationActions: ["Deny"],
        matchResources: selector("DoesNotExist"),
      },
      {
        name: "linkerd-mesh-guard-warning",
        policyName: "linkerd-mesh-guard-warning",
        validationActions: ["Warn"],
      },
    ]);
    const opened = recording.get("RandomId", "gate-opened").urn;
    for (const { type, name, dependencies } of recording.resources) {
      if (type.includes("ValidatingAdmissionPolicy")) {
        assert.equal(dependencies.includes(opened), name === "others-binding", name);
      }
    }
  });

  it("warns of critical pods, which it does not refuse", async () => {
    const recording = await record(() => new MeshGuard("guard", { cluster: {} }));
    const { validations } = recording.get("ValidatingAdmissionPolicy", "guard-warning-policy").inputs
      .spec as Policy;
    const [validation] = validations;
    assert.equal(validation?.expression, "!variables.wanted || variables.hostNetwork || variables.sidecar");
    assert.match(validation.messageExpression, /outside the mesh until it is recreated/);
    assert.equal(validation.message, "the pod must have a Linkerd proxy and was not injected");
  });

  for (const [mode, action] of [
    ["warn", "Warn"],
    ["audit", "Audit"],
  ] as const) {
    it(`acts with ${action} in mode ${mode}, of every pod from the start`, async () => {
      const recording = await record(() => {
        new MeshGuard("guard", { cluster: {}, mode }).coverOthers("others");
      });
      const name = "linkerd-mesh-guard";
      assert.deepEqual(bindings(recording), [{ name, policyName: name, validationActions: [action] }]);
      const { validations } = recording.get("ValidatingAdmissionPolicy", "guard-policy").inputs
        .spec as Policy;
      assert.doesNotMatch(validations[0]?.expression ?? "", /critical/);
    });
  }

  it("refuses another mode", async () => {
    await assert.rejects(
      record(() => new MeshGuard("guard", { cluster: {}, mode: "off" as GuardMode })),
      { errors: [{ propertyPath: "mode", reason: 'must be one of deny, warn, audit, but is "off"' }] },
    );
  });
});
