import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import { run as runProgram } from "../../tools/shared/run";
import { sandboxTools } from "../../tools/sandbox/build/tools";
import {
  type Command,
  configuration,
  eventually,
  isMeshed,
  start,
  succeed,
  TestSandbox,
} from "../support/sandbox";

const NAMESPACE = "web";
const WORKLOADS = ["one", "two", "three"].map((name) => ({
  name,
  podSpec: { containers: [{ name, image: "registry.k8s.io/pause:3.10" }] },
}));
const CONFIGURATION = configuration({
  sampleApplications: [],
  namespaces: [{ name: NAMESPACE, workloads: WORKLOADS }],
});

/** How many moments of a deployment are tried. */
const MOMENTS = 10;

/** Kinds of all objects that a deployment makes, or that are made for it. */
const KINDS = [
  "namespaces,deployments,services,configmaps,secrets,serviceaccounts,cronjobs,roles,rolebindings",
  "clusterroles,clusterrolebindings,customresourcedefinitions,apiservices",
  "mutatingwebhookconfigurations,validatingwebhookconfigurations",
  "validatingadmissionpolicies,validatingadmissionpolicybindings",
].join(",");

/** A deployment that is killed at any moment, its process by SIGKILL so that it cannot clean up. */
describe("a deployment whose process is killed", () => {
  const sandbox = new TestSandbox("test-killed");
  let duration = 0;
  let wanted: string[] = [];

  const up = (): readonly string[] => ["up", "--name", sandbox.name, ...CONFIGURATION];

  /** Kind, namespace and name of each object, sorted. */
  async function objects(): Promise<string[]> {
    const { tools } = await sandboxTools();
    const columns = "KIND:.kind,NAMESPACE:.metadata.namespace,NAME:.metadata.name";
    const text = await runProgram(tools.kubectl, [
      ...["--kubeconfig", sandbox.paths.kubeconfig, "get", KINDS, "-A"],
      ...["--no-headers", "-o", `custom-columns=${columns}`],
    ]);
    return text.trim().split(/\s*\n/).sort();
  }

  /** Starts from nothing, with a sandbox that runs already. */
  async function fresh(): Promise<void> {
    await sandbox.remove();
    await succeed("sandbox", "start", "--name", sandbox.name);
  }

  /** Kills the deployment as soon as Helm's record is in this state, and makes sure that it stays so. */
  async function killAt(command: Command, record: string): Promise<void> {
    await eventually(record, 60, async () => (await sandbox.helmReleaseStates()).includes(record));
    command.kill("SIGKILL");
    await command.ended;
    const states = await sandbox.helmReleaseStates();
    assert.ok(states.includes(record), states.join("\n"));
  }

  /** Brings it up to its end and compares all with a deployment that nobody disturbed. */
  async function goesOn(): Promise<void> {
    await succeed(...up());
    assert.deepEqual(await objects(), wanted);
    for (const release of await sandbox.helmReleaseStates()) assert.match(release, /\.v1 deployed$/);
    const pods = (await sandbox.podCreations()).filter(
      ({ admitted, namespace }) => admitted && namespace === NAMESPACE,
    );
    assert.deepEqual(
      pods.filter((pod) => !isMeshed(pod)),
      [],
    );
    assert.equal(pods.length, WORKLOADS.length);
    assert.match(await succeed(...up()), /Resources:\s+\d+ unchanged\s/);
  }

  before(async () => {
    await fresh();
    const began = Date.now();
    await succeed(...up());
    duration = Date.now() - began;
    wanted = await objects();
  });
  after(() => sandbox.remove());

  for (let moment = 1; moment <= MOMENTS; moment++) {
    it(`at moment ${moment} of ${MOMENTS} ends, when it is repeated, as if nothing had happened`, async () => {
      await fresh();
      const command = start(up());
      // Anywhere within this moment's part of the duration: another run tries another one.
      const after = (duration * (moment - Math.random())) / MOMENTS;
      await sleep(after);
      command.kill("SIGKILL");
      const { output } = await command.ended;
      const last = output.match(/^ .*(creat|updat)(ing|ed).*$/gm)?.at(-1) ?? "nothing was created yet";
      console.log(
        `      killed after ${(after / 1000).toFixed(1)} s of ${(duration / 1000).toFixed(1)} s: ${last.trim()}`,
      );
      await goesOn();
    });
  }

  // Helm goes on with none of these by itself.
  for (const [release, left] of [
    ["linkerd-crds.v1", "deployed"],
    ["linkerd-control-plane.v1", "pending-install"],
  ] as const) {
    it(`with Helm's record ${release} ${left} ends likewise`, async () => {
      await fresh();
      const command = start(up());
      await killAt(command, `sh.helm.release.v1.${release} ${left}`);
      await goesOn();
    });
  }

  it("in the middle of an upgrade ends likewise", async () => {
    const upgraded = [
      ...up(),
      ...configuration({ trustAnchors: [{ id: "2026" }, { id: "2027" }], signingAnchor: "2026" }),
    ];
    await fresh();
    await succeed(...up());
    await killAt(start(upgraded), "sh.helm.release.v1.linkerd-control-plane.v2 pending-upgrade");
    await succeed(...upgraded);
    const states = await sandbox.helmReleaseStates();
    assert.ok(states.includes("sh.helm.release.v1.linkerd-control-plane.v2 deployed"), states.join("\n"));
    assert.match(await succeed(...upgraded), /Resources:\s+\d+ unchanged\s/);
  });

  it("by the API server, which restarts, ends likewise", async () => {
    await fresh();
    const command = start(up());
    await command.prints("linkerd-control-plane-release creating");
    const { "kube-apiserver": pid } = await sandbox.processNumbers();
    assert(pid !== undefined);
    process.kill(pid, "SIGKILL");
    const { code, output } = await command.ended;
    console.log(`      up ended with ${code} while the API server was away`);
    if (code !== 0) assert.match(output, /try: mend it, then run the same command again/);
    await goesOn();
  });
});
