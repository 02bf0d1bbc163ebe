import assert from "node:assert/strict";

import * as pulumi from "@pulumi/pulumi";

import { InjectionGate, InjectMode, MeshedWorkload, MeshedWorkloadArgs } from "../../components";
import type { LinkerdVersion } from "../../components/controlPlane/version";
import type { WorkloadKind } from "../../components/mesh/workloadKind";
import { sha256 } from "../../components/certificates/pem";
import { record, type Recorded, type Recording } from "../support/recorder";

const HASH = { "linkerd-mtls/trust-bundle-sha256": sha256("bundle") };
const KINDS: readonly WorkloadKind[] = ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"];
const TYPES: readonly string[] = KINDS;

describe("MeshedWorkload", () => {
  const podSpec = { containers: [{ name: "users", image: "users:1" }] };
  const labels = { "app.kubernetes.io/name": "users" };
  const metadata = { name: "users", namespace: "shop", labels };
  const args: MeshedWorkloadArgs = { namespace: "shop", podSpec, mesh: { trustBundlePem: "bundle" } };

  /** The only object that creates pods. */
  function workload(recording: Recording): Recorded {
    const found = recording.resources.filter(({ type }) => TYPES.includes(type.split(":").pop() ?? ""));
    assert.equal(found.length, 1);
    return recording.get(found[0]?.type ?? "", found[0]?.name ?? "");
  }

  async function create(more: Partial<MeshedWorkloadArgs>, gateArgs?: { tap?: boolean }): Promise<Recording> {
    return record(() => {
      const gate = gateArgs && new InjectionGate("gate", { controlPlane: {}, cluster: {}, ...gateArgs });
      new MeshedWorkload("users", { ...args, ...more, mesh: { trustBundlePem: "bundle", gate } });
    });
  }

  async function annotations(
    more: Partial<MeshedWorkloadArgs>,
    gateArgs?: { tap?: boolean },
  ): Promise<Record<string, string>> {
    const { spec } = workload(await create(more, gateArgs)).inputs as {
      spec: { template: { metadata: { annotations: Record<string, string> } } };
    };
    return spec.template.metadata.annotations;
  }

  it("refuses what the injector would pass over, unless it is not injected", async () => {
    const outside = { ...podSpec, hostNetwork: true, initContainers: [{ name: "istio-init", image: "x" }] };
    await assert.rejects(
      create({ podSpec: outside }),
      /podSpec\.hostNetwork must not be set .*\n.*podSpec\.initContainers\[0\]\.name must be another name/,
    );
    await create({ podSpec: outside, inject: "disabled" });
  });

  describe("kinds", () => {
    const template = { metadata: { labels, annotations: HASH }, spec: podSpec };
    const ending = { ...template, spec: { ...podSpec, restartPolicy: "OnFailure" } };
    const lifecycle = { preStop: { sleep: { seconds: 5 } } };
    const serving = {
      ...template,
      spec: {
        containers: [{ name: "users", image: "users:1", lifecycle }],
        terminationGracePeriodSeconds: 35,
      },
    };
    const selector = { matchLabels: labels };

    it("rolls with another trust domain than the default one", async () => {
      const of = async (trustDomain?: string): Promise<unknown> => {
        const recording = await record(() => {
          new MeshedWorkload("users", { ...args, mesh: { trustBundlePem: "bundle", trustDomain } });
        });
        const { spec } = workload(recording).inputs as { spec: { template: typeof template } };
        return spec.template.metadata.annotations;
      };
      assert.deepEqual(await of("cluster.local"), HASH);
      assert.deepEqual(await of("a.example"), { ...HASH, "linkerd-mtls/trust-domain": "a.example" });
    });

    it("is a Deployment whose pods carry the hash of the trust bundle", async () => {
      const recording = await create({});
      assert.deepEqual(recording.get("Deployment", "users-deployment").inputs, {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata,
        spec: { replicas: 1, selector, template: serving },
      });
      assert.deepEqual(recording.names().slice(1), [
        "linkerd-mtls:index:MeshedWorkload users",
        "kubernetes:apps/v1:Deployment users-deployment",
      ]);
    });

    it("serves on for as long as it is told, and where a container has no preStop hook of its own", async () => {
      const preStop = { exec: { command: ["drain"] } };
      const postStart = { exec: { command: ["warm"] } };
      const containers = [
        { name: "own", image: "own:1", lifecycle: { preStop } },
        pulumi.output({ name: "late", image: "late:1", lifecycle: pulumi.output({ postStart }) }),
      ];
      const specOf = async (more: Partial<MeshedWorkloadArgs>): Promise<unknown> =>
        (workload(await create(more)).inputs as { spec: { template: { spec: unknown } } }).spec.template.spec;
      assert.deepEqual(await specOf({ drainSeconds: 20, podSpec: pulumi.output({ containers }) }), {
        terminationGracePeriodSeconds: 50,
        containers: [
          { name: "own", image: "own:1", lifecycle: { preStop } },
          { name: "late", image: "late:1", lifecycle: { postStart, preStop: { sleep: { seconds: 20 } } } },
        ],
      });
      const patient = { ...podSpec, terminationGracePeriodSeconds: 300 };
      const { terminationGracePeriodSeconds } = (await specOf({ podSpec: patient })) as typeof patient;
      assert.equal(terminationGracePeriodSeconds, 300);
      assert.deepEqual(await specOf({ drainSeconds: 0 }), podSpec);
      assert.deepEqual(await specOf({ inject: "disabled" }), podSpec);
    });

    it("can be a StatefulSet", async () => {
      const recording = await create({ kind: "StatefulSet", replicas: 3 });
      assert.deepEqual(recording.get("StatefulSet", "users-statefulset").inputs, {
        apiVersion: "apps/v1",
        kind: "StatefulSet",
        metadata,
        spec: { replicas: 3, selector, serviceName: "users", template: serving },
      });
    });

    it("can be a DaemonSet", async () => {
      const recording = await create({ kind: "DaemonSet" });
      assert.deepEqual(recording.get("DaemonSet", "users-daemonset").inputs, {
        apiVersion: "apps/v1",
        kind: "DaemonSet",
        metadata,
        spec: { selector, template: serving },
      });
    });

    it("can be a Job, which neither new trust nor tap runs again", async () => {
      const job = (await create({ kind: "Job" })).get("Job", "users-job");
      assert.deepEqual(job.inputs, {
        apiVersion: "batch/v1",
        kind: "Job",
        metadata,
        spec: { template: ending },
      });
      assert.deepEqual(job.ignoreChanges, [
        'spec.template.metadata.annotations["linkerd-mtls/trust-bundle-sha256"]',
        'spec.template.metadata.annotations["linkerd-mtls/trust-domain"]',
        'spec.template.metadata.annotations["linkerd-mtls/tap"]',
      ]);
    });

    it("can be a CronJob", async () => {
      const cronJob = (await create({ kind: "CronJob", schedule: "0 3 * * *" })).get(
        "CronJob",
        "users-cronjob",
      );
      assert.deepEqual(cronJob.inputs, {
        apiVersion: "batch/v1",
        kind: "CronJob",
        metadata,
        spec: { schedule: "0 3 * * *", jobTemplate: { spec: { template: ending } } },
      });
    });

    it("ignores changes of nothing but Jobs", async () => {
      for (const kind of KINDS.filter((other) => other !== "Job")) {
        const schedule = kind === "CronJob" ? "@daily" : undefined;
        assert.deepEqual(workload(await create({ kind, schedule })).ignoreChanges, [], kind);
      }
    });

    it("keeps a restart policy that is given", async () => {
      const never = { ...podSpec, restartPolicy: "Never" };
      const { spec } = workload(await create({ kind: "Job", podSpec: never })).inputs;
      assert.deepEqual(spec, { template: { ...template, spec: never } });
    });

    it("keeps a secret specification secret", async () => {
      for (const kind of ["Deployment", "Job"] as const) {
        const { secretInputs } = workload(await create({ kind, podSpec: pulumi.secret(podSpec) }));
        assert.deepEqual(secretInputs, ["spec.template.spec"], kind);
      }
    });
  });

  it("can be called otherwise than the component", async () => {
    const recording = await record(
      () =>
        new MeshedWorkload("shop/users", {
          ...args,
          name: "users",
          ports: [{ name: "http", port: 80 }],
        }).name,
    );
    assert.deepEqual(recording.get("Deployment", "shop/users-deployment").inputs.metadata, metadata);
    assert.equal(
      (recording.get("Service", "shop/users-service").inputs.metadata as { name: string }).name,
      "users",
    );
    assert.equal(recording.outputs, "users");
  });

  describe("Service", () => {
    const ports = [
      { name: "http", port: 80, targetPort: 8080 },
      { name: "metrics", port: 9090 },
    ];

    it("is there where it has ports", async () => {
      const recording = await create({ ports });
      assert.deepEqual(recording.get("Service", "users-service").inputs, {
        apiVersion: "v1",
        kind: "Service",
        metadata: { ...metadata, annotations: { "pulumi.com/skipAwait": "true" } },
        spec: { selector: labels, ports },
      });
    });

    it("is headless for a StatefulSet", async () => {
      const recording = await create({ kind: "StatefulSet", ports });
      assert.deepEqual(recording.get("Service", "users-service").inputs.spec, {
        selector: labels,
        ports,
        clusterIP: "None",
      });
    });

    it("is absent without ports", async () => {
      const recording = await create({ ports: [] });
      assert.ok(!recording.names().includes("kubernetes:core/v1:Service users-service"));
    });

    it("says which ports are opaque, the namespace's too", async () => {
      const opaquePorts = async (more: Partial<MeshedWorkloadArgs>): Promise<unknown> => {
        const service = (await create({ ports, ...more })).get("Service", "users-service");
        const { annotations: found } = service.inputs.metadata as { annotations: Record<string, string> };
        return found["config.linkerd.io/opaque-ports"];
      };
      const inherited = { proxy: { opaquePorts: [3306] } };
      assert.equal(await opaquePorts({ proxy: { opaquePorts: [3306, 4444] } }), "3306,4444");
      assert.equal(await opaquePorts({ inherited }), "3306");
      assert.equal(await opaquePorts({ inherited, proxy: { opaquePorts: [9300] } }), "9300");
    });
  });

  describe("injection", () => {
    it("is the namespace's to decide where nothing is said", async () => {
      assert.deepEqual(await annotations({}), HASH);
    });

    it("can be asked for by the pods", async () => {
      for (const inject of ["enabled", "ingress"] as const) {
        assert.deepEqual(await annotations({ inject }), { "linkerd.io/inject": inject, ...HASH });
      }
    });

    it("has the gate asked before each roll-out, and comes after it", async () => {
      const recording = await create({}, {});
      const deployment = recording.get("Deployment", "users-deployment");
      assert.deepEqual(deployment.hooks, { beforeCreate: ["gate"], beforeUpdate: ["gate"] });
      assert.deepEqual(deployment.dependencies, [recording.get("RandomId", "gate-opened").urn]);
    });

    it("that is disabled has no gate and no hash, so that a new trust bundle does not roll it", async () => {
      const recording = await create({ inject: "disabled" }, { tap: true });
      const deployment = recording.get("Deployment", "users-deployment");
      assert.deepEqual(deployment.hooks, { beforeCreate: [], beforeUpdate: [] });
      assert.deepEqual(deployment.dependencies, []);
      assert.deepEqual(await annotations({ inject: "disabled" }, { tap: true }), {
        "linkerd.io/inject": "disabled",
      });
    });

    it("with tap is marked, so that enabling tap rolls it once", async () => {
      assert.deepEqual(await annotations({}, { tap: true }), { ...HASH, "linkerd-mtls/tap": "enabled" });
      assert.deepEqual(await annotations({}, { tap: false }), HASH);
    });
  });

  describe("what it inherits", () => {
    const inherited = { inject: "ingress", proxy: { logLevel: "warn", memoryLimit: "1Gi" } } as const;

    it("is on the pods too, so that a change rolls them; its own settings go first", async () => {
      assert.deepEqual(await annotations({ inherited, proxy: { logLevel: "debug" } }), {
        "linkerd.io/inject": "ingress",
        "config.linkerd.io/proxy-log-level": "debug",
        "config.linkerd.io/proxy-memory-limit": "1Gi",
        ...HASH,
      });
      assert.deepEqual(await annotations({ inherited, inject: "enabled" }), {
        "linkerd.io/inject": "enabled",
        "config.linkerd.io/proxy-log-level": "warn",
        "config.linkerd.io/proxy-memory-limit": "1Gi",
        ...HASH,
      });
    });

    it("has a newer annotation beside its own setting of the sidecar, where the release knows it and no Job runs again", async () => {
      const [older, newer] = ["config.beta", "config"].map(
        (to) => `${to}.linkerd.io/proxy-enable-native-sidecar`,
      );
      assert(older !== undefined && newer !== undefined);
      const sidecar = async (
        more: Partial<MeshedWorkloadArgs>,
        linkerdVersion?: LinkerdVersion,
      ): Promise<Record<string, string>> => {
        const mesh = { trustBundlePem: "bundle", linkerdVersion };
        const recording = await record(() => new MeshedWorkload("users", { ...args, ...more, mesh }));
        const { spec } = workload(recording).inputs as {
          spec: { template: { metadata: { annotations: Record<string, string> } } };
        };
        const found = Object.entries(spec.template.metadata.annotations);
        return Object.fromEntries(found.filter(([name]) => name.endsWith("sidecar")));
      };
      const own = { proxy: { nativeSidecar: false }, inherited: { proxy: { nativeSidecar: true } } };
      const both = { [older]: "false", [newer]: "false" };
      assert.deepEqual(await sidecar(own), both);
      assert.deepEqual(await sidecar(own, "edge-26.5.2"), both);
      assert.deepEqual(await sidecar(own, "edge-26.5.1"), { [older]: "false" });
      assert.deepEqual(await sidecar({ ...own, kind: "Job" }), { [older]: "false" });
      assert.deepEqual(await sidecar({ inherited: own.inherited }), { [older]: "true" });
    });

    it("is not on the pods of a Job, which a change would run again", async () => {
      assert.deepEqual(await annotations({ kind: "Job", inherited, proxy: { logLevel: "debug" } }), {
        "config.linkerd.io/proxy-log-level": "debug",
        ...HASH,
      });
    });

    for (const kind of ["Deployment", "Job"] as const) {
      it(`keeps a ${kind} out of the mesh where it is disabled`, async () => {
        const recording = await create({ kind, inherited: { inject: "disabled" } }, { tap: true });
        assert.deepEqual(workload(recording).hooks, { beforeCreate: [], beforeUpdate: [] });
        const found = await annotations({ kind, inherited: { inject: "disabled" } }, { tap: true });
        assert.deepEqual(found, kind === "Job" ? {} : { "linkerd.io/inject": "disabled" });
      });
    }

    it("does not keep it out where it asks for injection itself", async () => {
      const recording = await create({ inject: "enabled", inherited: { inject: "disabled" } }, {});
      assert.deepEqual(workload(recording).hooks.beforeCreate, ["gate"]);
    });
  });

  const wrong: [args: Partial<MeshedWorkloadArgs>, propertyPath: string, reason: string][] = [
    [
      { kind: "DaemonSet", replicas: 1 },
      "replicas",
      "must be set only for Deployment, StatefulSet, but kind is DaemonSet",
    ],
    [
      { kind: "Job", ports: [] },
      "ports",
      "must be set only for Deployment, StatefulSet, DaemonSet, but kind is Job",
    ],
    [{ schedule: "@daily" }, "schedule", "must be set only for CronJob, but kind is Deployment"],
    [{ kind: "CronJob" }, "schedule", "must be set for CronJob, but is missing"],
    [{ inject: "yes" as InjectMode }, "inject", 'must be one of enabled, ingress, disabled, but is "yes"'],
    [
      { inject: "disabled", proxy: { logLevel: "debug" } },
      "proxy",
      "must not be set where inject is disabled, because no proxy would read it, but is set",
    ],
    [
      { inherited: { inject: "disabled" }, proxy: { logLevel: "debug" } },
      "proxy",
      "must not be set where inject is disabled, because no proxy would read it, but is set",
    ],
    [
      { proxy: { cpuRatioLimit: 2 } },
      "proxy.cpuRatioLimit",
      "must be a number above 0 and at most 1, but is 2",
    ],
  ];
  it("reports all problems together", async () => {
    const ports = [
      { name: "http", port: 80 },
      { name: "http", port: 0 },
    ];
    await assert.rejects(
      create({ kind: "Job", replicas: 2, ports, inject: "yes" as InjectMode }),
      (error) => {
        assert.ok(pulumi.InputPropertiesError.isInstance(error));
        assert.deepEqual(
          error.errors.map(({ propertyPath }) => propertyPath),
          ["replicas", "ports", "inject", "ports[1].name", "ports[1].port"],
        );
        assert.match(
          error.message,
          /^The arguments of MeshedWorkload users are not valid:\n {2}replicas must be set only for/,
        );
        return true;
      },
    );
  });

  for (const [more, propertyPath, reason] of wrong) {
    it(`refuses ${JSON.stringify(more)}`, async () => {
      await assert.rejects(create(more), { errors: [{ propertyPath, reason }] });
    });
  }
});
