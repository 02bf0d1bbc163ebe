import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import { AppsV1Api, CoreV1Api } from "@kubernetes/client-node";

import { testCertificate } from "../support/certificates";
import { configuration, start, succeed } from "../support/command";
import { eventually } from "../support/eventually";
import { isMeshed, useSandbox } from "../support/testSandbox";

const IMAGE = "registry.k8s.io/pause:3.10";
const CONTAINERS = [{ name: "main", image: IMAGE }];

/** How many Deployments of one pod the program adds in each test. */
const WORKLOADS = 5;

/**
 * How many Deployments of one pod another tool applies, which nothing holds back. One of many pods would take longer to
 * come back: each pod that it does get makes its controller try at once, and be refused, and double its pause.
 */
const OTHERS = 10;

/** For so long the injector is disturbed. */
const DISTURBED_SECONDS = 12;

/** How long a ReplicaSet's controller may pause after refusals, which it doubles each time. */
const BACKOFF_SECONDS = 120;

describe("an injector that is disturbed while applications are deployed", () => {
  const sandbox = useSandbox("test-disturbance");
  const namespaces: object[] = [];

  before(async () => {
    await succeed("sandbox", "start", "--name", sandbox.name, "--ready-delay", "2");
    await succeed("up", "--name", sandbox.name, ...configuration({ sampleApplications: [] }));
  });

  /** Sends a signal to the process of each injector. */
  async function signalInjector(signal: NodeJS.Signals): Promise<void> {
    for (const [name, pid] of Object.entries(await sandbox.processNumbers())) {
      if (!name.endsWith(".proxy-injector")) continue;
      try {
        process.kill(pid, signal);
      } catch {
        // It has just ended by itself.
      }
    }
  }

  /** Each disturbs the injector and returns what ends the disturbance. */
  const disturbances: Record<string, () => Promise<() => Promise<void>>> = {
    "is killed repeatedly": async () => {
      await signalInjector("SIGKILL");
      const timer = setInterval(() => void signalInjector("SIGKILL"), 250);
      return () => {
        clearInterval(timer);
        return Promise.resolve();
      };
    },
    "is upgraded, while calls to the old one time out": async () => {
      await signalInjector("SIGSTOP");
      const body = [
        { op: "add", path: "/spec/template/metadata/annotations/upgraded", value: new Date().toISOString() },
      ];
      const name = "linkerd-proxy-injector";
      await sandbox.client(AppsV1Api).patchNamespacedDeployment({ namespace: "linkerd", name, body });
      return () => signalInjector("SIGCONT");
    },
    "gets a certificate that the API server does not trust, and then its own again": async () => {
      const core = sandbox.client(CoreV1Api);
      const secret = { namespace: "linkerd", name: "linkerd-proxy-injector-k8s-tls" };
      const { data } = await core.readNamespacedSecret(secret);
      const { certPem, keyPem } = await testCertificate("linkerd-proxy-injector.linkerd.svc", {
        isCa: false,
      });
      const write = async (value: unknown): Promise<void> => {
        await core.patchNamespacedSecret({ ...secret, body: [{ op: "replace", path: "/data", value }] });
      };
      const base64 = (text: string): string => Buffer.from(text).toString("base64");
      await write({ "tls.crt": base64(certPem), "tls.key": base64(keyPem) });
      // The API server would go on with the connection that it has.
      await signalInjector("SIGKILL");
      return () => write(data);
    },
  };

  Object.entries(disturbances).forEach(([what, disturb], index) => {
    it(`and ${what}: every pod is created once, with its proxy`, async () => {
      const [mine, others] = [`mine-${index}`, `others-${index}`];
      namespaces.push({
        name: mine,
        workloads: Array.from({ length: WORKLOADS }, (_, number) => ({
          name: `app-${number}`,
          podSpec: { containers: CONTAINERS },
        })),
      });
      await sandbox.objects().create({
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name: others, annotations: { "linkerd.io/inject": "enabled" } },
      });

      const command = start([
        "up",
        "--name",
        sandbox.name,
        ...configuration({ sampleApplications: [], namespaces }),
      ]);
      await command.prints(`${mine}/app-0-deployment creating`);
      const undo = await disturb();
      const apps = sandbox.client(AppsV1Api);
      for (let number = 0; number < OTHERS; number++) {
        const labels = { app: `web-${number}` };
        const template = { metadata: { labels }, spec: { containers: CONTAINERS } };
        await apps.createNamespacedDeployment({
          namespace: others,
          body: { metadata: { name: labels.app }, spec: { selector: { matchLabels: labels }, template } },
        });
      }
      await sleep(DISTURBED_SECONDS * 1000);
      await undo();

      const { code, output } = await command.ended;
      assert.equal(code, 0, output);
      await eventually("the other tool's Deployments are available", BACKOFF_SECONDS, async () => {
        const { items } = await apps.listNamespacedDeployment({ namespace: others });
        return items.every(({ status }) => status?.availableReplicas === 1);
      });
      const attempts = (await sandbox.podCreations()).filter(({ namespace }) =>
        [mine, others].includes(namespace),
      );
      const created = attempts.filter(({ admitted }) => admitted);
      const refused = attempts.length - created.length;
      console.log(`      ${created.length} pods created, ${refused} refusals by the guard`);
      assert.deepEqual(
        created.filter((pod) => !isMeshed(pod)),
        [],
      );
      assert.equal(created.length, WORKLOADS + OTHERS);
      assert(refused > 0, "the guard refused nothing, so the injector was not disturbed");
      const { items } = await apps.listReplicaSetForAllNamespaces();
      for (const { metadata } of items) {
        if (metadata?.namespace !== mine && metadata?.namespace !== others) continue;
        assert.equal(metadata.annotations?.["deployment.kubernetes.io/revision"], "1");
      }
    });
  });
});
