import assert from "node:assert/strict";

import {
  InjectionGate,
  InjectMode,
  MeshedNamespace,
  MeshedNamespaceArgs,
  MeshedWorkload,
  MeshGuard,
} from "../../components";
import type { PodSecurityLevel } from "../../components/cluster/podSecurity";
import { checkPodSecurity } from "../../components/cluster/podSecurity";
import { namespaceMark } from "../support/mark";
import { record, type Recording } from "../support/recorder";

describe("MeshedNamespace", () => {
  const LEVEL = "pod-security.kubernetes.io/enforce";

  it("is annotated for injection, and is useful alone", async () => {
    const recording = await record(() => new MeshedNamespace("users"));
    assert.deepEqual(recording.get("Namespace", "users-namespace").inputs, {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "users", annotations: { "linkerd.io/inject": "enabled" } },
    });
  });

  for (const inject of ["ingress", "disabled"] as const) {
    it(`can say ${inject}`, async () => {
      const recording = await record(() => new MeshedNamespace("edge", { inject }));
      const { metadata } = recording.get("Namespace", "edge-namespace").inputs;
      assert.deepEqual(metadata, { name: "edge", annotations: { "linkerd.io/inject": inject } });
    });
  }

  it("says how its pods' proxies are set, and which pod security it enforces", async () => {
    const recording = await record(
      () =>
        new MeshedNamespace("users", {
          proxy: { opaquePorts: [3306, "4444-4445"], cpuLimit: 1, await: false, nativeSidecar: true },
          podSecurity: "restricted",
          mesh: { cluster: {}, cniEnabled: true },
        }),
    );
    assert.deepEqual(recording.get("Namespace", "users-namespace").inputs.metadata, {
      name: "users",
      annotations: {
        "linkerd.io/inject": "enabled",
        "config.linkerd.io/opaque-ports": "3306,4444-4445",
        "config.linkerd.io/proxy-cpu-limit": "1",
        "config.linkerd.io/proxy-await": "disabled",
        "config.beta.linkerd.io/proxy-enable-native-sidecar": "true",
        ...namespaceMark("users-namespace"),
      },
      labels: { [LEVEL]: "restricted" },
    });
  });

  describe("order", () => {
    const dependencies = async (args: MeshedNamespaceArgs): Promise<string[]> => {
      const recording = await record(() => {
        const gate = new InjectionGate("gate", { controlPlane: {}, cluster: {} });
        const guard = new MeshGuard("guard", { cluster: {} });
        new MeshedNamespace("users", { ...args, mesh: { cluster: {}, gate, guard } });
      });
      const type = args.existing === true ? "NamespacePatch" : "Namespace";
      const names = recording.get(type, "users-namespace").dependencies.map((urn) => urn.split("::").pop());
      return names.filter((name) => name !== undefined).sort();
    };
    const guard = ["guard-binding", "guard-policy", "guard-warning-binding", "guard-warning-policy"];

    it("is after the gate and the guard", async () => {
      assert.deepEqual(await dependencies({}), ["gate-opened", ...guard]);
    });

    it("is after the guard alone where pods are not injected", async () => {
      assert.deepEqual(await dependencies({ inject: "disabled" }), guard);
    });

    it("is the same for an existing namespace", async () => {
      assert.deepEqual(await dependencies({ existing: true, inject: "enabled" }), ["gate-opened", ...guard]);
    });
  });

  describe("guarded from the start", () => {
    const labels = async (args: MeshedNamespaceArgs): Promise<unknown> => {
      const recording = await record(
        () =>
          new MeshedNamespace("users", {
            ...args,
            mesh: { cluster: {}, guard: new MeshGuard("guard", { cluster: {} }) },
          }),
      );
      const type = args.existing === true ? "NamespacePatch" : "Namespace";
      const { metadata } = recording.get(type, "users-namespace").inputs;
      return (metadata as { labels?: unknown }).labels;
    };
    const guarded = { "linkerd-mtls/guarded": "true" };

    it("is labelled where it is created, with and without an annotation", async () => {
      assert.deepEqual(await labels({}), guarded);
      assert.deepEqual(await labels({ inject: "disabled" }), guarded);
      assert.deepEqual(await labels({ podSecurity: "privileged" }), { ...guarded, [LEVEL]: "privileged" });
    });

    it("is labelled where it exists only behind the gate", async () => {
      assert.deepEqual(await labels({ existing: true, inject: "enabled" }), guarded);
      assert.equal(await labels({ existing: true, inject: "disabled" }), undefined);
    });
  });

  it("is no namespace of Linkerd's or of Kubernetes's, unless that exists", async () => {
    const create = (args: MeshedNamespaceArgs): Promise<Recording> =>
      record(() => new MeshedNamespace("ns", args));
    for (const [name, reason] of [
      ["linkerd", "it is the control plane's, which is never injected"],
      ["linkerd-viz", "it belongs to viz"],
      ["kube-system", "Linkerd's injector passes it over"],
      ["cert-manager", "Linkerd's injector passes it over"],
    ] as const) {
      const refusal = {
        propertyPath: "name",
        reason: `must be another namespace (${reason}), but is "${name}"`,
      };
      await assert.rejects(create({ name, existing: true }), { errors: [refusal] });
    }
    const reason = "must be true for default and kube-*, which Kubernetes makes, but is false";
    for (const name of ["default", "kube-public", "kube-node-lease"]) {
      await assert.rejects(create({ name }), { errors: [{ propertyPath: "existing", reason }] });
      await create({ name, existing: true });
    }
  });

  describe("that exists", () => {
    it("is patched with what is set, and with nothing else", async () => {
      const recording = await record(
        () => new MeshedNamespace("default", { existing: true, proxy: { logLevel: "debug" } }),
      );
      assert.deepEqual(recording.get("NamespacePatch", "default-namespace").inputs, {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name: "default", annotations: { "config.linkerd.io/proxy-log-level": "debug" } },
      });
    });

    it("is left alone where nothing is set, and what is put there still comes after the guard", async () => {
      const recording = await record(() => {
        const guard = new MeshGuard("guard", { cluster: {} });
        const { name } = new MeshedNamespace("default", { existing: true, mesh: { cluster: {}, guard } });
        new MeshedWorkload("users", {
          namespace: name,
          inject: "enabled",
          podSpec: { containers: [] },
          mesh: { trustBundlePem: "bundle" },
        });
        return name;
      });
      assert.equal(recording.outputs, "default");
      assert.ok(!recording.names().some((name) => name.includes("default-namespace")));
      assert.deepEqual(recording.get("Deployment", "users-deployment").dependencies, [
        recording.get("ValidatingAdmissionPolicyBinding", "guard-binding").urn,
      ]);
    });
  });

  const INIT =
    "must be privileged where pods are injected without Linkerd's CNI plugin, because the container linkerd-init needs " +
    'NET_ADMIN and NET_RAW, but is "baseline"';
  const wrong: [title: string, args: MeshedNamespaceArgs, propertyPath: string, reason: string][] = [
    [
      "another mode",
      { inject: "true" as InjectMode },
      "inject",
      'must be one of enabled, ingress, disabled, but is "true"',
    ],
    [
      "another level",
      { podSecurity: "none" as PodSecurityLevel },
      "podSecurity",
      'must be one of privileged, baseline, restricted, but is "none"',
    ],
    ["a level that refuses proxies", { podSecurity: "baseline" }, "podSecurity", INIT],
    [
      "such a level for pods that are injected by themselves",
      { podSecurity: "baseline", inject: "disabled", injectedByPod: true },
      "podSecurity",
      INIT,
    ],
    [
      "settings that no proxy reads",
      { inject: "disabled", proxy: { logLevel: "debug" } },
      "proxy",
      "must not be set where inject is disabled, because no proxy would read it, but is set",
    ],
    [
      "settings that pods do not inherit",
      { proxy: { cpuRatioLimit: 0.5 } as object },
      "proxy.cpuRatioLimit",
      "must be set on the workload, because pods do not inherit it from their namespace, but is 0.5",
    ],
  ];
  for (const [title, args, propertyPath, reason] of wrong) {
    it(`refuses ${title}`, async () => {
      await assert.rejects(
        record(() => new MeshedNamespace("users", args)),
        { errors: [{ propertyPath, reason }] },
      );
    });
  }

  it("reports all problems together", async () => {
    const args = { inject: "yes", podSecurity: "none", proxy: { logLevel: 1, opaquePorts: [0] } };
    await assert.rejects(
      record(() => new MeshedNamespace("users", args as unknown as MeshedNamespaceArgs)),
      {
        errors: [
          {
            propertyPath: "inject",
            reason: 'must be one of enabled, ingress, disabled, but is "yes"',
          },
          {
            propertyPath: "podSecurity",
            reason: 'must be one of privileged, baseline, restricted, but is "none"',
          },
          {
            propertyPath: "proxy.logLevel",
            reason: 'must be a log filter such as "warn,linkerd=info", but is 1',
          },
          {
            propertyPath: "proxy.opaquePorts[0]",
            reason: 'must be a port (1 to 65535) or a range such as "4567-4568", but is 0',
          },
        ],
      },
    );
  });

  it("takes every level where nothing is injected", async () => {
    const recording = await record(
      () => new MeshedNamespace("users", { inject: "disabled", podSecurity: "restricted" }),
    );
    const { metadata } = recording.get("Namespace", "users-namespace").inputs;
    assert.deepEqual((metadata as { labels: unknown }).labels, { [LEVEL]: "restricted" });
  });
});

describe("checkPodSecurity", () => {
  const namespace = (name: string, level?: string): Record<string, unknown> => ({
    metadata: {
      name,
      labels: level === undefined ? undefined : { "pod-security.kubernetes.io/enforce": level },
    },
  });

  it("takes namespaces that let injected pods in", async () => {
    const live = { none: namespace("none"), privileged: namespace("privileged", "privileged") };
    const recording = await record(() => checkPodSecurity(Object.keys(live)), { live });
    assert.deepEqual(recording.reads, ["none", "privileged"]);
  });

  it("refuses the others together, with the ways out", async () => {
    const live = { a: namespace("a", "baseline"), b: namespace("b"), c: namespace("c", "restricted") };
    const problem = (name: string, level: string): string =>
      `label pod-security.kubernetes.io/enforce of namespace ${name} must be privileged where pods are injected without ` +
      "Linkerd's CNI plugin, because the container linkerd-init needs NET_ADMIN and NET_RAW, but is " +
      `${level}\n` +
      `    kubectl label --overwrite namespace ${name} pod-security.kubernetes.io/enforce=privileged\n` +
      "    pulumi config set linkerd-mtls:cniEnabled true    # once the plugin is installed";
    await assert.rejects(
      record(() => checkPodSecurity(["a", "b", "c"]), { live }),
      { message: `${problem("a", "baseline")}\n\n${problem("c", "restricted")}` },
    );
  });

  it("refuses a namespace that does not exist", async () => {
    await assert.rejects(
      record(() => checkPodSecurity(["nowhere"])),
      /Namespace nowhere does not exist/,
    );
  });
});
