import assert from "node:assert/strict";

import { anchorsOf, ownFile, readStackFile } from "../../tools/shared/stackFile";
import { type Command, configuration, type Ended, start } from "./command";
import { APPLICATIONS, MeshWatch, type Rollouts, type Watched } from "./othersMesh";
import { isMeshed, type TestSandbox } from "./testSandbox";

/** Pods of the applications. */
const PODS = 10;

/** While the injector's endpoint moves, a pod may be refused, which its controller tries again. */
const REFUSED = 2;

/** How a pod is refused while the injector is rolled out, where the failure policy is Fail: one is gone that is still asked. */
const ROLLING = /failed calling webhook \S*linkerd-proxy-injector/;

/** A mesh of others that a stack has, and what it goes through. */
export class TakenMesh {
  public readonly watch: MeshWatch;
  /** Configuration of the stack that no file has. */
  public config: Readonly<Record<string, unknown>> = { sampleApplications: [] };
  /** Variables with which the stack is deployed. */
  public env: NodeJS.ProcessEnv = {};
  private readonly rows: object[] = [];

  public constructor(public readonly sandbox: TestSandbox) {
    this.watch = new MeshWatch(sandbox);
  }

  /** Starts a command of the sandbox for the stack, or another that takes the same options. */
  public start(args: readonly string[], main?: string): Command {
    const where = ["--name", this.sandbox.name, ...configuration(this.config)];
    return start([...args, ...where], this.env, main);
  }

  /** Runs it to its end. */
  public run(args: readonly string[], main?: string): Promise<Ended> {
    return this.start(args, main).ended;
  }

  /** Runs it and returns what it printed. */
  public async succeed(args: readonly string[], main?: string): Promise<string> {
    const { code, output } = await this.run(args, main);
    assert.equal(code, 0, output);
    return output;
  }

  /** Writes the mesh as the configuration of the stack, or gives it back. */
  public adopt(...args: readonly string[]): Promise<Ended> {
    const command = ["--name", this.sandbox.name, "--stack", "dev", ...args];
    return start(command, {}, "tools/adopt/main.ts").ended;
  }

  /** What the stack was given by commands, by full key. */
  public async written(): Promise<Readonly<Record<string, unknown>>> {
    const { config = {} } = await readStackFile(ownFile(this.sandbox.paths, "dev"));
    return config;
  }

  /** The trust anchors that the stack was given by commands. */
  public async trustAnchors(): Promise<ReturnType<typeof anchorsOf>> {
    return anchorsOf(await this.written());
  }

  /**
   * Watches a change: no pod lacks its proxy, hardly any is refused, every certificate is trusted by every pod, each
   * Deployment of Linkerd is rolled out once at most, and each pod of the applications is created again as often as said.
   */
  public async during(what: string, work: () => Promise<unknown>, restarts = 0): Promise<void> {
    const [pods, rollouts, created] = [
      await this.watch.uids(),
      await this.watch.rollouts(),
      await this.created(),
    ];
    assert.equal(pods.length, PODS);
    const began = Date.now();
    const watched = await this.watch.during(work);
    const seconds = Math.round((Date.now() - began) / 1000);
    const [podsNow, rolloutsNow, createdNow] = [
      await this.watch.uids(),
      await this.watch.rollouts(),
      await this.created(),
    ];
    const { dryRuns, verified, failed } = watched;
    const row = { what, seconds, meshed: dryRuns.injected, refused: refusals(watched), verified, failed };
    this.rows.push({ ...row, rolled: rolled(rollouts, rolloutsNow), created: createdNow - created });
    assertServed(watched);
    atMostOnce(rollouts, rolloutsNow);
    assert.equal(createdNow - created, restarts * PODS);
    if (restarts === 0) assert.deepEqual(podsNow, pods);
    else assert.equal(podsNow.filter((uid) => !pods.includes(uid)).length, PODS);
  }

  /** Prints what was seen of each change. */
  public report(): void {
    console.table(this.rows);
  }

  /** How many pods of the applications were created, all with their proxies. */
  private async created(): Promise<number> {
    const pods = (await this.sandbox.podCreations()).filter(
      ({ namespace, admitted }) => admitted && APPLICATIONS.includes(namespace),
    );
    assert(pods.every(isMeshed));
    return pods.length;
  }
}

/** Each Deployment that was rolled out in between. */
function rolled(before: Rollouts, after: Rollouts): string {
  const names = Object.keys(before).filter((name) => after[name] !== before[name]);
  return names.map((name) => name.replace("linkerd-", "")).join(" ");
}

function refusals({ dryRuns }: Watched): number {
  return dryRuns.refused + dryRuns.unexpected.filter((answer) => ROLLING.test(answer)).length;
}

/** Control-plane Deployments are rolled out once at most. */
export function atMostOnce(before: Rollouts, after: Rollouts): void {
  for (const [name, rollouts] of Object.entries(before)) {
    assert((after[name] ?? 0) <= rollouts + 1, `${name} was rolled out more than once`);
  }
}

/** No pod was admitted without its proxy, hardly any refused, and every certificate was trusted by every pod. */
export function assertServed(watched: Watched): void {
  const { dryRuns, failed, verified } = watched;
  assert.deepEqual(
    dryRuns.unexpected.filter((answer) => !ROLLING.test(answer)),
    [],
  );
  assert(refusals(watched) <= REFUSED, `${refusals(watched)} pods were refused`);
  assert.equal(failed, 0);
  assert(verified > 0);
}
