import assert from "node:assert/strict";

import {
  ApiregistrationV1Api,
  AppsV1Api,
  BatchV1Api,
  CoreV1Api,
  type V1ObjectMeta,
} from "@kubernetes/client-node";

import { configuration, run, succeed } from "../support/command";
import { eventually } from "../support/eventually";
import { isMeshed, useSandbox } from "../support/testSandbox";

const pod = { containers: [{ name: "main", image: "registry.k8s.io/pause:3.10" }] };
const workload = (name: string, more: object = {}): object => ({ name, podSpec: pod, ...more });

/** A namespace with a workload of each kind. */
const KINDS = {
  name: "kinds",
  proxy: { logLevel: "warn", opaquePorts: [3306, 4444], skipInboundPorts: ["4567-4568"] },
  workloads: [
    workload("deployment", { replicas: 2, ports: [{ name: "http", port: 80 }] }),
    workload("galera", {
      kind: "StatefulSet",
      replicas: 3,
      ports: [{ name: "mysql", port: 3306 }],
      proxy: { opaquePorts: [3306], cpuRequest: "50m" },
    }),
    workload("agent", { kind: "DaemonSet" }),
    workload("migration", { kind: "Job" }),
    workload("report", { kind: "CronJob", schedule: "0 3 1 1 *" }),
  ],
};

/** Not annotated; one workload is meshed by its own annotation, the other stays outside. */
const PARTLY = {
  name: "partly",
  inject: "disabled",
  workloads: [workload("outside"), workload("inside", { inject: "ingress" })],
};

/** Pods of KINDS, its CronJob has none; of PARTLY; and of the sample applications. */
const WANTED = { kinds: 2 + 3 + 1 + 1, partly: 1, emojivoto: 4, "hello-world": 2, default: 1 };
const SHOP = { "shop-users": 1, "shop-identity": 1, "shop-web": 1, "shop-ingress": 1 };

const SAMPLES = ["emojivoto", "hello-world", "kuard", "shop"];

describe("applications from configuration", () => {
  const sandbox = useSandbox("test-applications");
  const everything = {
    sampleApplications: SAMPLES,
    labelKubeSystem: true,
    namespaces: [KINDS, PARTLY],
  };
  const up = (values: object = {}): Promise<string> =>
    succeed("up", "--name", sandbox.name, ...configuration({ ...everything, ...values }));

  /** Number of pods that were ever created and wanted a proxy, by namespace. */
  async function createdPods(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { namespace, admitted, inject } of await sandbox.podCreations()) {
      const outside = ["linkerd", "linkerd-viz"].includes(namespace);
      if (outside || !admitted || (namespace === "partly" && inject === "disabled")) continue;
      counts[namespace] = (counts[namespace] ?? 0) + 1;
    }
    return counts;
  }

  /** What an object is and in which version of its specification, so that every change of it shows. */
  async function versions(): Promise<Map<string, string>> {
    const apps = sandbox.client(AppsV1Api);
    const core = sandbox.client(CoreV1Api);
    const batch = sandbox.client(BatchV1Api);
    const lists: [string, { items: { metadata?: V1ObjectMeta }[] }][] = [
      ["Deployment", await apps.listDeploymentForAllNamespaces()],
      ["StatefulSet", await apps.listStatefulSetForAllNamespaces()],
      ["DaemonSet", await apps.listDaemonSetForAllNamespaces()],
      ["Job", await batch.listJobForAllNamespaces()],
      ["CronJob", await batch.listCronJobForAllNamespaces()],
      ["Pod", await core.listPodForAllNamespaces()],
      ["Namespace", await core.listNamespace()],
    ];
    return new Map(
      lists.flatMap(([kind, { items }]) =>
        items.map(({ metadata }): [string, string] => [
          `${kind} ${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`,
          JSON.stringify([metadata?.uid, metadata?.generation, metadata?.annotations, metadata?.labels]),
        ]),
      ),
    );
  }

  /** Names of the objects that are new, gone or changed, pods left out whose names a Deployment makes up. */
  function changes(before: Map<string, string>, after: Map<string, string>): string[] {
    const names = new Set([...before.keys(), ...after.keys()]);
    return [...names].filter((name) => before.get(name) !== after.get(name)).sort();
  }

  before(async () => {
    await succeed("sandbox", "start", "--name", sandbox.name, "--ready-delay", "2");
    await sandbox.client(CoreV1Api).patchNamespace({
      name: "kube-system",
      body: [{ op: "add", path: "/metadata/labels/owner", value: "platform" }],
    });
  });

  describe("all together", () => {
    it("creates each pod once, with its proxy at creation, and nothing that nobody wanted", async () => {
      const output = await up();
      assert.deepEqual(await createdPods(), { ...WANTED, ...SHOP });
      const admitted = (await sandbox.podCreations()).filter((creation) => creation.admitted);
      const outside = admitted.filter((creation) => creation.namespace !== "linkerd" && !isMeshed(creation));
      // One workload is outside because its namespace says so.
      assert.deepEqual(
        outside.map(({ namespace }) => namespace),
        ["partly"],
      );
      const total = Object.values({ ...WANTED, ...SHOP }).reduce((sum, pods) => sum + pods, 0);
      assert.match(output, new RegExp(`All ${total} pods are in the mesh\\.`));
    });

    it("rolls nothing out twice", async () => {
      const { items } = await sandbox.client(AppsV1Api).listReplicaSetForAllNamespaces();
      assert(items.length > 0);
      const revisions = items.map(
        ({ metadata }) => metadata?.annotations?.["deployment.kubernetes.io/revision"],
      );
      assert.deepEqual([...new Set(revisions)], ["1"]);
    });

    it("gives proxies their settings, from the namespace and from the workload", async () => {
      const core = sandbox.client(CoreV1Api);
      const { items } = await core.listNamespacedPod({
        namespace: "kinds",
        labelSelector: "app.kubernetes.io/name=galera",
      });
      const annotations = items[0]?.metadata?.annotations;
      assert.equal(annotations?.["config.linkerd.io/opaque-ports"], "3306");
      assert.equal(annotations["config.linkerd.io/skip-inbound-ports"], "4567-4568");
      assert.equal(annotations["config.linkerd.io/proxy-log-level"], "warn");
      const proxy = items[0]?.spec?.containers.find(({ name }) => name === "linkerd-proxy");
      assert.equal(proxy?.resources?.requests?.cpu, "50m");
      assert.equal(proxy.env?.find(({ name }) => name === "LINKERD2_PROXY_LOG")?.value, "warn");
      const service = await core.readNamespacedService({ namespace: "kinds", name: "galera" });
      assert.equal(service.metadata?.annotations?.["config.linkerd.io/opaque-ports"], "3306");
    });

    it("labels kube-system and leaves the rest of it alone", async () => {
      const { metadata } = await sandbox.client(CoreV1Api).readNamespace({ name: "kube-system" });
      assert.equal(metadata?.labels?.["config.linkerd.io/admission-webhooks"], "disabled");
      assert.equal(metadata.labels.owner, "platform");
    });

    it("changes nothing the second time", async () => {
      const before = await versions();
      assert.match(await up(), /Resources:\s+\d+ unchanged\s/);
      assert.deepEqual(changes(before, await versions()), []);
    });
  });

  describe("one namespace at a time", () => {
    const added = { name: "added", workloads: [workload("web")] };

    it("is added without touching another", async () => {
      const before = await versions();
      await up({ namespaces: [added, KINDS, PARTLY] });
      const changed = changes(before, await versions());
      assert.deepEqual(
        changed.filter((name) => !name.startsWith("Pod")),
        ["Deployment added/web", "Namespace /added"],
      );
      for (const name of changed) assert.match(name, /added/);
    });

    it("gets another annotation, which its own pods take up, without touching another", async () => {
      const before = await versions();
      await up({ namespaces: [{ ...added, inject: "ingress" }, KINDS, PARTLY] });
      const changed = changes(before, await versions());
      assert(changed.includes("Namespace /added"));
      for (const name of changed) assert.match(name, /added/);
    });

    it("is removed without touching another", async () => {
      const before = await versions();
      await up();
      for (const name of changes(before, await versions())) assert.match(name, /added/);
      const { items } = await sandbox.client(CoreV1Api).listNamespace();
      assert(!items.some(({ metadata }) => metadata?.name === "added"));
    });
  });

  describe("viz, enabled later", () => {
    let earlier: Map<string, string>;
    let later: Map<string, string>;

    it("rolls each workload once, so that tap works in every proxy", async () => {
      earlier = await versions();
      await up({ viz: { enabled: true } });
      later = await versions();
      const { items } = await sandbox.client(AppsV1Api).listDeploymentForAllNamespaces();
      for (const { metadata } of items) {
        const outside = ["linkerd", "linkerd-viz"].includes(metadata?.namespace ?? "");
        const wanted = outside || metadata?.name === "outside" ? "1" : "2";
        assert.equal(
          metadata?.annotations?.["deployment.kubernetes.io/revision"],
          wanted,
          `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`,
        );
      }
      const pods = await sandbox.client(CoreV1Api).listPodForAllNamespaces();
      const proxies = pods.items.flatMap(({ metadata, spec }) =>
        metadata?.deletionTimestamp === undefined &&
        !["linkerd", "linkerd-viz"].includes(metadata?.namespace ?? "") &&
        metadata?.ownerReferences?.[0]?.kind !== "Job"
          ? (spec?.containers ?? [])
              .filter(({ name }) => name === "linkerd-proxy")
              .map(({ env = [] }) => env.some(({ name }) => name === "LINKERD2_PROXY_TAP_SVC_NAME"))
          : [],
      );
      assert(proxies.length > 0);
      assert(proxies.every((tap) => tap));
    });

    it("does not run a Job again", () => {
      const jobs = changes(earlier, later).filter((name) => name.startsWith("Job"));
      assert.deepEqual(jobs, []);
    });

    it("has a tap API that answers", async () => {
      const registrations = sandbox.client(ApiregistrationV1Api);
      // Its pod is ready before it listens, and the API server asks again with growing pauses.
      await eventually("the tap API is available", 120, async () => {
        const { status } = await registrations.readAPIService({ name: "v1alpha1.tap.linkerd.io" });
        return status?.conditions?.find(({ type }) => type === "Available")?.status === "True";
      });
    });

    it("changes nothing the second time", async () => {
      assert.match(await up({ viz: { enabled: true } }), /Resources:\s+\d+ unchanged\s/);
    });
  });

  describe("refused before anything is changed", () => {
    it("a namespace whose pod security forbids the init container", async () => {
      const before = await versions();
      const namespaces = [{ ...KINDS, podSecurity: "restricted" }, PARTLY];
      const { code, output } = await run(
        "preview",
        "--name",
        sandbox.name,
        ...configuration({ ...everything, namespaces }),
      );
      assert.equal(code, 1);
      assert.match(output, /namespaces\[0\]\.podSecurity/);
      assert.match(output, /cniEnabled/);
      assert.deepEqual(changes(before, await versions()), []);
    });

    it("a workload in an existing namespace that forbids it", async () => {
      await sandbox.client(CoreV1Api).createNamespace({
        body: {
          metadata: { name: "strict", labels: { "pod-security.kubernetes.io/enforce": "baseline" } },
        },
      });
      const strict = { name: "strict", existing: true, workloads: [workload("web", { inject: "enabled" })] };
      const { code, output } = await run(
        "preview",
        "--name",
        sandbox.name,
        ...configuration({ ...everything, namespaces: [KINDS, PARTLY, strict] }),
      );
      assert.equal(code, 1, output);
      assert.match(output, /baseline/);
      assert.match(output, /cniEnabled/);
    });
  });

  describe("destroyed", () => {
    it("leaves no namespace and no APIService behind", async () => {
      const values = configuration({ ...everything, viz: { enabled: true } });
      await succeed("down", "--keep", "--name", sandbox.name, ...values);
      const { items } = await sandbox.client(CoreV1Api).listNamespace();
      assert.deepEqual(items.map(({ metadata }) => metadata?.name).sort(), [
        "default",
        "kube-node-lease",
        "kube-public",
        "kube-system",
        "strict",
      ]);
      const services = await sandbox.client(ApiregistrationV1Api).listAPIService();
      assert(!services.items.some(({ metadata }) => metadata?.name?.includes("tap")));
    });

    it("leaves default and kube-system as they were", async () => {
      const core = sandbox.client(CoreV1Api);
      const { items } = await core.listNamespacedPod({ namespace: "default" });
      assert.deepEqual(
        items.filter(({ metadata }) => metadata?.deletionTimestamp === undefined),
        [],
      );
      const { metadata } = await core.readNamespace({ name: "kube-system" });
      assert.equal(metadata?.labels?.["config.linkerd.io/admission-webhooks"], undefined);
      assert.equal(metadata?.labels?.owner, "platform");
    });
  });
});
