import assert from "node:assert/strict";

import { AdmissionregistrationV1Api, AppsV1Api, CoreV1Api, type V1PodSpec } from "@kubernetes/client-node";

import { configuration, run, succeed } from "../support/command";
import { eventually } from "../support/eventually";
import { useSandbox } from "../support/testSandbox";

const IMAGE = "registry.k8s.io/pause:3.10";
const MAIN = { name: "main", image: IMAGE };

/** A namespace of others that asks for injection. */
const NAMESPACE = "others";

/** Pods and what the injector does with them (linkerd2, pkg/inject/report.go, pkg/healthcheck/sidecar.go). */
const PODS: readonly { readonly title: string; readonly spec: V1PodSpec; readonly injected: boolean }[] = [
  { title: "a plain pod", spec: { containers: [MAIN] }, injected: true },
  {
    title: "an ordinary container istio-init",
    spec: { containers: [MAIN, { name: "istio-init", image: IMAGE }] },
    injected: true,
  },
  {
    title: "a proxy's image from elsewhere",
    spec: { containers: [MAIN, { name: "other", image: "example.org/linkerd/proxy:edge-26.6.3" }] },
    injected: true,
  },
  {
    title: "a UDP port",
    spec: { containers: [{ ...MAIN, ports: [{ containerPort: 53, protocol: "UDP" }] }] },
    injected: true,
  },
  {
    title: "no service account token",
    spec: { containers: [MAIN], automountServiceAccountToken: false },
    injected: true,
  },
  { title: "the host network", spec: { containers: [MAIN], hostNetwork: true }, injected: false },
  {
    title: "a container istio-proxy",
    spec: { containers: [MAIN, { name: "istio-proxy", image: IMAGE }] },
    injected: false,
  },
  {
    title: "an image of Linkerd's proxy",
    spec: { containers: [MAIN, { name: "other", image: "cr.l5d.io/linkerd/proxy:edge-26.6.3" }] },
    injected: false,
  },
  {
    title: "an image of istio's proxy",
    spec: { containers: [MAIN, { name: "other", image: "gcr.io/istio-release/proxyv2:1.26" }] },
    injected: false,
  },
  ...["linkerd-init", "istio-init"].map((name) => ({
    title: `an init container ${name}`,
    spec: { containers: [MAIN], initContainers: [{ name, image: IMAGE }] },
    injected: false,
  })),
  ...["cr.l5d.io/linkerd/proxy-init:v2.4.3", "gcr.io/istio-release/proxy_init:1.26"].map((image) => ({
    title: `an init container of ${image}`,
    spec: { containers: [MAIN], initContainers: [{ name: "other", image }] },
    injected: false,
  })),
];

/** Has the control plane change, and so the gate ask. */
const CHANGED = ["-c", "linkerd-mtls:issuanceLifetime=12h"];

describe("a cluster with rules of its own", () => {
  const sandbox = useSandbox("test-guard");
  const core = () => sandbox.client(CoreV1Api);

  const label = async (level: string): Promise<void> => {
    const path = "/metadata/labels/pod-security.kubernetes.io~1enforce";
    await core().patchNamespace({ name: "default", body: [{ op: "add", path, value: level }] });
  };
  const settings = configuration({ sampleApplications: [], gateDeadlineSeconds: 30 });
  const up = (...args: string[]) => run("up", "--name", sandbox.name, ...settings, ...args);

  /** What becomes of a dry run of a pod, and of what it warns. */
  async function dryRun(spec: V1PodSpec, namespace = NAMESPACE) {
    const body = { metadata: { generateName: "pod-" }, spec };
    try {
      const answer = await core().createNamespacedPodWithHttpInfo({ namespace, dryRun: "All", body });
      const { initContainers = [], containers = [] } = answer.data.spec ?? {};
      const names = [...initContainers, ...containers].map(({ name }) => name);
      const injected = names.includes("linkerd-proxy");
      return { outcome: injected ? "injected" : "passed over", message: answer.headers.warning ?? "" };
    } catch (error) {
      return { outcome: "refused", message: String(error) };
    }
  }

  async function outcomes(): Promise<Record<string, string>> {
    const entries = PODS.map(async ({ title, spec }) => [title, (await dryRun(spec)).outcome] as const);
    return Object.fromEntries(await Promise.all(entries));
  }

  before(async () => {
    await succeed("sandbox", "start", "--name", sandbox.name);
    await core().createNamespace({
      body: { metadata: { name: NAMESPACE, annotations: { "linkerd.io/inject": "enabled" } } },
    });
  });

  for (const [level, issuanceLifetime] of [
    ["restricted", "10h"],
    ["baseline", "8h"],
  ] as const) {
    it(`opens the gate where pod security ${level} refuses the injected pod`, async () => {
      await label(level);
      const { code, output } = await up("-c", `linkerd-mtls:issuanceLifetime=${issuanceLifetime}`);
      assert.equal(code, 0, output);
      assert.match(
        output,
        /pods are injected: \d+ tries, .* proxy not shown, because namespace default refuses linkerd-init/,
      );
    });
  }

  it("names at once a namespace for the gate that is not there, and the key", async () => {
    await label("privileged");
    const { code, output } = await up("-c", "linkerd-mtls:gateNamespace=nowhere", ...CHANGED);
    assert.equal(code, 1, output);
    assert.match(
      output,
      /after 1 try .*\n.*no such namespace \(404\): namespaces "nowhere" not found; choose .*set linkerd-mtls:gateNamespace/,
    );
  });

  it("names another policy that refuses the probe, and the key, with which it then goes on", async () => {
    const policies = sandbox.client(AdmissionregistrationV1Api);
    const metadata = { name: "no-pods-in-default" };
    await policies.createValidatingAdmissionPolicy({
      body: {
        metadata,
        spec: {
          matchConstraints: {
            resourceRules: [
              { apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"] },
            ],
          },
          validations: [{ expression: "object.metadata.namespace != 'default'", message: "no pods here" }],
        },
      },
    });
    await policies.createValidatingAdmissionPolicyBinding({
      body: { metadata, spec: { policyName: metadata.name, validationActions: ["Deny"] } },
    });
    await eventually("the policy is enforced", 30, async () => {
      const { outcome } = await dryRun({ containers: [MAIN] }, "default");
      return outcome === "refused";
    });

    const { code, output } = await up("-c", "linkerd-mtls:gateDeadlineSeconds=3", ...CHANGED);
    assert.equal(code, 1, output);
    assert.match(
      output,
      /refused the pod \(\d+\): .*'no-pods-in-default'.*no pods here; if that lasts, choose .*set linkerd-mtls:gateNamespace <namespace>/,
    );
    const elsewhere = await up("-c", `linkerd-mtls:gateNamespace=${NAMESPACE}`, ...CHANGED);
    assert.equal(elsewhere.code, 0, elsewhere.output);
  });

  describe("and pods that the injector passes over", () => {
    it("are those that the guard knows", async () => {
      const expected = PODS.map(({ title, injected }) => [title, injected ? "injected" : "passed over"]);
      assert.deepEqual(await outcomes(), Object.fromEntries(expected));
    });

    it("are let through without the injector, too, which all the others are not", async () => {
      const apps = sandbox.client(AppsV1Api);
      const name = "linkerd-proxy-injector";
      const body = [{ op: "replace", path: "/spec/replicas", value: 0 }];
      await apps.patchNamespacedDeployment({ namespace: "linkerd", name, body });
      await eventually("the injector is gone", 60, async () => {
        const { outcome } = await dryRun({ containers: [MAIN] });
        return outcome !== "injected";
      });
      const expected = PODS.map(({ title, injected }) => [title, injected ? "refused" : "passed over"]);
      assert.deepEqual(await outcomes(), Object.fromEntries(expected));
    });

    for (const priorityClassName of ["system-node-critical", "system-cluster-critical"]) {
      it(`are let through with a warning where they are ${priorityClassName}`, async () => {
        const { outcome, message } = await dryRun({ containers: [MAIN], priorityClassName });
        assert.equal(outcome, "passed over", message);
        assert.match(message, /linkerd-mesh-guard-warning.* must have a Linkerd proxy .* outside the mesh/);
      });
    }
  });
});
