import assert from "node:assert/strict";

import { sandboxTarget } from "../../tools/sandbox/target";
import { anchorsOf, ownFile, readStackFile } from "../../tools/shared/stackFile";
import { testAnchor, testIssuer } from "./certificates";
import { clusterObjects } from "./clusterObjects";
import { configuration, type Ended, run, start, succeed, succeedWith } from "./command";
import { keysFound, MeshWatch, type Rollouts, type Watched } from "./othersMesh";
import { StackRuns } from "./stackRuns";
import { type TestSandbox, useSandbox } from "./testSandbox";

/** No sample application. */
export const NO_SAMPLES = configuration({ sampleApplications: [] });

/** Writes the mesh of a sandbox as the configuration of its stack. */
export function adopt({ name }: TestSandbox, ...args: readonly string[]): Promise<Ended> {
  return start(["--name", name, "--stack", "dev", ...args], {}, "tools/adopt/main.ts").ended;
}

/** Control-plane Deployments are rolled out once at most. */
export function atMostOnce(before: Rollouts, after: Rollouts): void {
  console.log(`      roll-outs: ${JSON.stringify(before)} -> ${JSON.stringify(after)}`);
  for (const [name, rollouts] of Object.entries(before)) {
    assert((after[name] ?? 0) <= rollouts + 1, `${name} was rolled out more than once`);
  }
}

/** While the injector's endpoint moves, a pod may be refused, which its controller tries again. */
const REFUSED = 2;

/**
 * How a pod is refused while the injector is rolled out, besides by the guard: by one that has just started and has not
 * read the namespaces, and, where the failure policy is Fail, because one is gone that the API server still asks.
 */
const ROLLING = new RegExp(
  [
    "linkerd-proxy-injector\\S* denied the request: namespaces \\S+ not found",
    "failed calling webhook \\S*linkerd-proxy-injector",
  ].join("|"),
);

/** No pod was admitted without its proxy, hardly any refused, and every certificate was trusted by every pod. */
export function assertServed({ dryRuns, failed, verified }: Watched): void {
  const denied = dryRuns.unexpected.filter((answer) => ROLLING.test(answer));
  assert.deepEqual(
    dryRuns.unexpected.filter((answer) => !denied.includes(answer)),
    [],
  );
  const refused = dryRuns.refused + denied.length;
  assert(refused <= REFUSED, `${refused} pods were refused`);
  assert.equal(failed, 0);
  assert(verified > 0);
}

/** A mesh of others, and what becomes of it. */
export interface OthersMesh {
  /** Name of the sandbox. */
  readonly name: string;
  readonly install: (sandbox: TestSandbox) => Promise<void>;
  /** Variables with which the stack is deployed. Default: none. */
  readonly env?: (sandbox: TestSandbox) => Promise<NodeJS.ProcessEnv>;
  /** Revisions of the releases afterwards, by release. */
  readonly revisions: Readonly<Record<string, number>>;
  /** Whether Helm's records have private keys before. Default true. */
  readonly hasKeys?: boolean;
}

/** A mesh whose takeover is proven by the tests of {@link provesTakeover}. */
export interface TakenMesh {
  readonly sandbox: TestSandbox;
  readonly watch: MeshWatch;
  /** uids of the applications' pods. */
  readonly pods: () => readonly string[];
}

/** Tests that go on from each other: the mesh is written as configuration, previewed, and taken over. */
export function provesTakeover({
  name,
  install,
  env = () => Promise.resolve({}),
  revisions,
  hasKeys = true,
}: OthersMesh): TakenMesh {
  const sandbox = useSandbox(name);
  const watch = new MeshWatch(sandbox);
  const outputs: Record<string, string> = {};
  let variables: NodeJS.ProcessEnv = {};
  let pods: readonly string[] = [];
  let rollouts: Rollouts;

  async function stack(command: string): Promise<string> {
    const output = await succeedWith(variables, command, "--name", sandbox.name, ...NO_SAMPLES);
    outputs[`${command} ${Object.keys(outputs).length}`] = output;
    return output;
  }

  before("a mesh of others", async () => {
    await succeed("sandbox", "start", "--name", sandbox.name);
    variables = await env(sandbox);
    await install(sandbox);
    [pods, rollouts] = [await watch.uids(), await watch.rollouts()];
    assert.equal(pods.length, 10);
  });

  it("is written as configuration, and previewed, which changes nothing", async () => {
    // What is looked for afterwards is found before.
    const found = await keysFound(sandbox, {});
    assert.equal(found.length > 0, hasKeys, found.join());
    const objects = await clusterObjects(sandbox);
    const { code, output } = await adopt(sandbox);
    assert.equal(code, 0, output);
    outputs.adopt = output;
    const preview = await stack("preview");
    assert.match(preview, /this deployment takes over what others have made/);
    assert.deepEqual(await clusterObjects(sandbox), objects);
  });

  it("is taken over while no pod is refused its proxy, or trusts less", async () => {
    assertServed(await watch.during(() => stack("up")));
    assert.deepEqual(await watch.uids(), pods);
    atMostOnce(rollouts, await watch.rollouts());
  });

  it("goes on with Helm's history", async () => {
    const wanted = Object.entries(revisions).flatMap(([release, last]) =>
      Array.from(
        { length: last },
        (_, index) =>
          `sh.helm.release.v1.${release}.v${index + 1} ${index + 1 === last ? "deployed" : "superseded"}`,
      ),
    );
    assert.deepEqual((await sandbox.helmReleaseStates()).sort(), wanted.sort());
  });

  it("changes nothing the second time", async () => {
    assert.match(await stack("up"), /Resources:\s+\d+ unchanged\s/);
    assert.deepEqual(await watch.uids(), pods);
  });

  it("leaves no private key in files, outputs or Helm's history", async () => {
    assert.deepEqual(await keysFound(sandbox, outputs), []);
  });

  it("is not destroyed by accident", async () => {
    const objects = await clusterObjects(sandbox);
    const { code, output } = await run("down", "--keep", "--name", sandbox.name);
    assert.notEqual(code, 0);
    assert.match(output, /has protected resources .*, so nothing was deleted/);
    assert.deepEqual(await clusterObjects(sandbox), objects);
  });

  return { sandbox, watch, pods: () => pods };
}

/** Tests that go on from {@link provesTakeover}: a value is changed, the trust anchor and the issuer are rotated. */
export function provesRotation({ sandbox, watch, pods }: TakenMesh): void {
  let stack: StackRuns;
  it("gets another value, which restarts no application", async () => {
    const target = await sandboxTarget(sandbox.name, new AbortController().signal);
    stack = new StackRuns(target, { sampleApplications: [], rolls: { workloads: "all", percent: 50 } });
    const values = { "linkerd-control-plane": { controllerLogLevel: "debug" } };
    assertServed(await watch.during(() => stack.up({ values })));
    assert.deepEqual(await watch.uids(), pods());
  });

  it("gets another trust anchor, with which each application restarts, and then its issuer", async () => {
    const anchor = await testAnchor();
    const issuer = await testIssuer(anchor);
    const { config = {} } = await readStackFile(ownFile(sandbox.paths, "dev"));
    const trustAnchors = [...anchorsOf(config), { id: "next", certificate: anchor.certPem }];
    assertServed(await watch.during(() => stack.up({ trustAnchors })));
    assert.deepEqual(
      (await watch.uids()).filter((uid) => pods().includes(uid)),
      [],
    );
    const restarted = await watch.uids();
    const next = { trustAnchors, issuerCertificate: issuer.certPem, issuerKey: issuer.keyPem };
    assertServed(await watch.during(() => stack.up(next)));
    assert.deepEqual(await watch.uids(), restarted);
  });
}

/** Tests that go on from {@link provesTakeover}: the stack lets go of the mesh, and takes it over again. */
export function provesRelease({ sandbox, watch }: TakenMesh): void {
  it("is given back, and goes on as it is", async () => {
    const [pods, rollouts] = [await watch.uids(), await watch.rollouts()];
    const watched = await watch.during(async () => {
      const { code, output } = await adopt(sandbox, "--release");
      assert.equal(code, 0, output);
    });
    assertServed(watched);
    assert.deepEqual(await watch.uids(), pods);
    assert.deepEqual(await watch.rollouts(), rollouts);
    const { code, output } = await run("preview", "--name", sandbox.name, ...NO_SAMPLES);
    assert.notEqual(code, 0);
    assert.match(output, /did not make it; nothing was changed/);
    assert.doesNotMatch(output, /linkerd-mesh-guard|made by stack/);
  });

  it("is taken over again", async () => {
    const [pods, rollouts] = [await watch.uids(), await watch.rollouts()];
    const { code, output } = await adopt(sandbox);
    assert.equal(code, 0, output);
    assertServed(await watch.during(() => succeed("up", "--name", sandbox.name, ...NO_SAMPLES)));
    assert.deepEqual(await watch.uids(), pods);
    atMostOnce(rollouts, await watch.rollouts());
  });

  it("is destroyed once it is told so", async () => {
    const { config = {} } = await readStackFile(ownFile(sandbox.paths, "dev"));
    const told = { adopt: { ...(config["linkerd-mtls:adopt"] as object), destroy: true } };
    await succeed("up", "--name", sandbox.name, ...NO_SAMPLES, ...configuration(told));
    await succeed("down", "--keep", "--name", sandbox.name);
    assert.deepEqual(await watch.rollouts(), {});
    assert.equal((await watch.uids()).length, 10);
  });
}
