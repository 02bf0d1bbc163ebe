import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import { CoreV1Api, CustomObjectsApi } from "@kubernetes/client-node";

import { linkerdCheck } from "../../tools/sandbox/linkerdCheck";
import { sandboxTools } from "../../tools/sandbox/build/tools";
import { configuration, type Ended, eventually, start, succeed, TestSandbox } from "../support/sandbox";

const CERTIFICATES = {
  group: "cert-manager.io",
  version: "v1",
  plural: "certificates",
  namespace: "linkerd",
};

/** Nothing but the mesh itself. */
const BARE = { sampleApplications: [], namespaces: [] };

/** cert-manager's injector gives the renewed CA to the API server. */
const ROTATING = configuration({ ...BARE, rotatingWebhooks: { caInjection: true } });

/** Where the tests create pods. */
const MESHED = "meshed";

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime?: string;
}

interface Certificate {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly secretName: string };
  readonly status: { readonly conditions: readonly Condition[]; readonly revision?: number };
}

describe("certificates that cert-manager issues", () => {
  const sandbox = new TestSandbox("test-rotation");
  const up = (...args: string[]): Promise<string> =>
    succeed("up", "--stack", "rotating", "--name", sandbox.name, ...args);

  before(async () => {
    await sandbox.remove();
    await succeed("sandbox", "start", "--name", sandbox.name);
  });
  after(() => sandbox.remove());

  async function certificates(): Promise<Certificate[]> {
    const list: unknown = await sandbox.client(CustomObjectsApi).listNamespacedCustomObject(CERTIFICATES);
    return (list as { items: Certificate[] }).items;
  }

  async function certificatePem(secretName: string): Promise<string> {
    const { data } = await sandbox
      .client(CoreV1Api)
      .readNamespacedSecret({ namespace: "linkerd", name: secretName });
    return data?.["tls.crt"] ?? "";
  }

  /** Starts a renewal as `cmctl renew` does: by the condition that says that one is due. */
  async function renew({ metadata: { name } }: Certificate): Promise<void> {
    const custom = sandbox.client(CustomObjectsApi);
    const found: unknown = await custom.getNamespacedCustomObject({ ...CERTIFICATES, name });
    const body = found as Certificate;
    const due = {
      type: "Issuing",
      status: "True",
      reason: "ManuallyTriggered",
      message: "due",
      lastTransitionTime: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
    };
    const conditions = [...body.status.conditions.filter(({ type }) => type !== "Issuing"), due];
    await custom.replaceNamespacedCustomObjectStatus({
      ...CERTIFICATES,
      name,
      body: { ...body, status: { ...body.status, conditions } },
    });
  }

  /** How often identity has said that. */
  async function identityEvents(reason: string): Promise<number> {
    const { items } = await sandbox
      .client(CoreV1Api)
      .listNamespacedEvent({ namespace: "linkerd", fieldSelector: `reason=${reason}` });
    return items.reduce((sum, { count = 1 }) => sum + count, 0);
  }

  /** Creates pods, or only tries to, until the work is done; returns how many had their proxy or were refused, and the others. */
  async function injectedDuring(
    work: Promise<unknown>,
    interval: number,
    dryRun?: "All",
  ): Promise<{ injected: number; refused: number; others: string[] }> {
    const ended = new AbortController();
    void work
      .finally(() => {
        ended.abort();
      })
      .catch(() => undefined);
    const core = sandbox.client(CoreV1Api);
    const result = { injected: 0, refused: 0, others: [] as string[] };
    while (!ended.signal.aborted) {
      try {
        const { spec } = await core.createNamespacedPod({
          namespace: MESHED,
          dryRun,
          body: {
            metadata: { generateName: "pod-" },
            spec: { containers: [{ name: "main", image: "registry.k8s.io/pause:3.10" }] },
          },
        });
        const all = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
        if (all.some(({ name }) => name === "linkerd-proxy")) result.injected++;
        else result.others.push("admitted without its proxy");
      } catch (error) {
        if (String(error).includes("linkerd-mesh-guard")) result.refused++;
        else result.others.push(String(error));
      }
      await sleep(interval);
    }
    await work;
    return result;
  }

  describe("while cert-manager does nothing", () => {
    let failed: Ended;

    before(async () => {
      await sandbox.hold("cert-manager-controller");
      failed = await start([
        "up",
        "--stack",
        "rotating",
        "--name",
        sandbox.name,
        ...ROTATING,
        ...configuration({ certManager: { deadlineSeconds: 15 } }),
      ]).ended;
      await sandbox.release("cert-manager-controller");
    });

    it("up fails within its deadline and names what does not become Ready", () => {
      assert.equal(failed.code, 1, failed.output);
      const { message = "", seconds } =
        /before hook "[a-z-]+-ready" failed: (?<message>.* not Ready after \d+ tries in (?<seconds>\d+)\.\d s)/.exec(
          failed.output,
        )?.groups ?? {};
      assert(Number(seconds) >= 15 && Number(seconds) < 30, message || failed.output);
      assert.match(
        failed.output,
        /Certificate linkerd\/(linkerd-identity-issuer|webhook-issuer): no conditions, so its controller does not run/,
      );
    });

    it("has not installed the control plane, because its certificates come first", async () => {
      const { items } = await sandbox.client(CoreV1Api).listNamespacedPod({ namespace: "linkerd" });
      assert.deepEqual(items, []);
    });

    it("the same command goes on", async () => {
      await up(...ROTATING);
      for (const { metadata, status } of await certificates()) {
        const ready = status.conditions.find(({ type }) => type === "Ready");
        assert.equal(ready?.status, "True", metadata.name);
        // Issued by cert-manager, and not taken as it was found.
        assert((status.revision ?? 0) >= 1, metadata.name);
      }
    });
  });

  describe("that are renewed", () => {
    before(async () => {
      const annotations = { "linkerd.io/inject": "enabled" };
      await sandbox.client(CoreV1Api).createNamespace({ body: { metadata: { name: MESHED, annotations } } });
    });

    it("reach identity and the webhooks, while every pod is injected", async () => {
      const all = await certificates();
      assert.deepEqual(all.map(({ metadata }) => metadata.name).sort(), [
        "linkerd-identity-issuer",
        "linkerd-policy-validator",
        "linkerd-proxy-injector",
        "linkerd-sp-validator",
        "webhook-issuer",
      ]);
      const earlier = await identityEvents("IssuerUpdated");
      const renewals = async (): Promise<void> => {
        // The CA first: the injector's certificate is signed by the renewed one.
        for (const one of all.sort((a, b) => b.metadata.name.localeCompare(a.metadata.name))) {
          const { secretName } = one.spec;
          const before = await certificatePem(secretName);
          await renew(one);
          await eventually(
            `${secretName} is renewed`,
            30,
            async () => before !== (await certificatePem(secretName)),
          );
        }
        await eventually("identity has the new issuer", 30, async () => {
          return (await identityEvents("IssuerUpdated")) > earlier;
        });
        await sleep(2000);
      };
      const { injected, refused, others } = await injectedDuring(renewals(), 100, "All");
      console.log(`      ${injected} dry runs injected`);
      assert.deepEqual(others, []);
      assert.equal(refused, 0);
      assert(injected > 5, `only ${injected} tries`);
      assert.equal(await identityEvents("IssuerUpdateSkipped"), 0);
    });

    it("pass Linkerd's own check", async () => {
      const { tools } = await sandboxTools();
      // Warnings are expected: these certificates live for less than the 60 days that the check wants.
      const checks = await linkerdCheck(tools, sandbox.paths.kubeconfig);
      assert(checks.length > 10);
      assert.deepEqual(
        checks.filter(({ result }) => result === "error"),
        [],
      );
    });
  });

  describe("that change hands", () => {
    async function anchors(): Promise<string | undefined> {
      const name = "linkerd-identity-trust-roots";
      const { data } = await sandbox
        .client(CoreV1Api)
        .readNamespacedConfigMap({ namespace: "linkerd", name });
      return data?.["ca-bundle.crt"];
    }

    async function controlPlanePods(): Promise<(string | undefined)[]> {
      const { items } = await sandbox.client(CoreV1Api).listNamespacedPod({ namespace: "linkerd" });
      return items.map(({ metadata }) => metadata?.name).sort();
    }

    it("are generated, and issued by cert-manager again, while every pod is injected", async () => {
      const before = await anchors();
      const switched = async (): Promise<void> => {
        await up(...configuration({ ...BARE, certificates: "generated" }));
        await up(...ROTATING);
      };
      const { injected, refused, others } = await injectedDuring(switched(), 1000);
      // The control plane rolls once each way. A pod that the guard refuses meanwhile is tried again by its controller.
      console.log(`      ${injected} pods injected, ${refused} refused by the guard`);
      assert.deepEqual(others, []);
      assert(injected > 20, `only ${injected} pods`);
      assert.equal(await anchors(), before);
      assert.equal(await identityEvents("IssuerUpdateSkipped"), 0);
    });

    it("do so without a restart and without a refusal where the webhooks' CA stays", async () => {
      const generated = configuration({ ...BARE, certificates: "generated" });
      await up(...generated);
      const [before, pods] = [await anchors(), await controlPlanePods()];
      const switched = async (): Promise<void> => {
        await up(...configuration(BARE));
        await up(...generated);
      };
      const { injected, refused, others } = await injectedDuring(switched(), 1000);
      console.log(`      ${injected} pods injected, ${refused} refused by the guard`);
      assert.deepEqual(others, []);
      assert.equal(refused, 0);
      assert(injected > 20, `only ${injected} pods`);
      assert.equal(await anchors(), before);
      assert.deepEqual(await controlPlanePods(), pods);
      assert.equal(await identityEvents("IssuerUpdateSkipped"), 0);
    });
  });
});
