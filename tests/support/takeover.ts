import assert from "node:assert/strict";

import { sandboxTarget } from "../../tools/sandbox/target";
import { withStack } from "../../tools/sandbox/workspace";
import { clusterObjects, settled } from "./clusterObjects";
import { configuration, succeed } from "./command";
import { keysFound } from "./othersMesh";
import { TakenMesh } from "./takenMesh";
import { type TestSandbox, useSandbox } from "./testSandbox";

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

/** A sandbox with a mesh of others, for the suite that calls this. */
export function useOthersMesh({ name, install, env }: OthersMesh): TakenMesh {
  const mesh = new TakenMesh(useSandbox(name));
  before("a mesh of others", async () => {
    const { sandbox } = mesh;
    await succeed("sandbox", "start", "--name", sandbox.name);
    mesh.env = (await env?.(sandbox)) ?? {};
    await install(sandbox);
    assert.equal((await mesh.watch.uids()).length, 10);
  });
  after("what was seen", () => {
    mesh.report();
  });
  return mesh;
}

/** Tests that go on from each other: the mesh is written as configuration, previewed, and taken over. */
export function provesTakeover(others: OthersMesh): TakenMesh {
  const { revisions, hasKeys = true } = others;
  const mesh = useOthersMesh(others);
  const { sandbox } = mesh;
  const outputs: Record<string, string> = {};
  const stack = async (command: string): Promise<string> => {
    const output = await mesh.succeed([command]);
    outputs[`${command} ${Object.keys(outputs).length}`] = output;
    return output;
  };

  it("is written as configuration, and previewed, which changes nothing", async () => {
    // What is looked for afterwards is found before.
    const found = await keysFound(sandbox, {});
    assert.equal(found.length > 0, hasKeys, found.join());
    const objects = await settled(() => clusterObjects(sandbox));
    const { code, output } = await mesh.adopt();
    assert.equal(code, 0, output);
    outputs.adopt = output;
    const preview = await stack("preview");
    assert.match(preview, /this deployment takes over what others have made/);
    assert.deepEqual(await clusterObjects(sandbox), objects);
  });

  it("is taken over while no pod is refused its proxy, or trusts less", () =>
    mesh.during("taken over", () => stack("up")));

  it("goes on with Helm's history", async () => {
    const wanted = Object.entries(revisions).flatMap(([release, last]) =>
      Array.from(
        { length: last },
        (_, index) =>
          `sh.helm.release.v1.${release}.v${index + 1} ${index + 1 === last ? "deployed" : "superseded"}`,
      ),
    );
    assert.deepEqual((await sandbox.helmReleaseStates()).sort(), wanted.sort());
    console.log(`      ${await adoptedObjects(mesh)}`);
  });

  it("changes nothing the second time", () =>
    mesh.during("the second time", async () => {
      assert.match(await stack("up"), /Resources:\s+\d+ unchanged\s/);
    }));

  it("leaves no private key in files, outputs or Helm's history", async () => {
    assert.deepEqual(await keysFound(sandbox, outputs), []);
  });

  it("is not destroyed by accident", async () => {
    const objects = await settled(() => clusterObjects(sandbox));
    const { code, output } = await mesh.run(["down", "--keep"]);
    assert.notEqual(code, 0);
    assert.match(output, /has protected resources .*, so nothing was deleted/);
    await assert.rejects(destroyByPulumi(sandbox), /linkerd-adoption-lock/);
    assert.deepEqual(await clusterObjects(sandbox), objects);
  });

  return mesh;
}

/** `pulumi destroy`, which does not look first at what is protected. */
async function destroyByPulumi({ name }: TestSandbox): Promise<void> {
  const target = await sandboxTarget(name, new AbortController().signal);
  await withStack({ ...target, stack: "dev" }, (stack) => stack.destroy());
}

/** What was taken over: entries of the configuration, and the objects of the releases among them. */
async function adoptedObjects(mesh: TakenMesh): Promise<string> {
  const { objects } = (await mesh.written())["linkerd-mtls:adopt"] as { objects: readonly string[] };
  const releases = objects.flatMap((object) => /^HelmRelease .+\/(.+)$/.exec(object)?.[1] ?? []);
  const kinds = "serviceaccounts,services,configmaps,secrets,deployments,cronjobs,roles,rolebindings";
  const wide =
    "clusterroles,clusterrolebindings,customresourcedefinitions,apiservices,mutatingwebhookconfigurations,validatingwebhookconfigurations";
  const column = String.raw`R:.metadata.annotations.meta\.helm\.sh/release-name`;
  const args = ["get", `${kinds},${wide}`, "-A", "--no-headers", "-o", `custom-columns=${column}`];
  const owners = (await mesh.sandbox.kubectl(args)).split("\n").map((line) => line.trim());
  return `${objects.length} entries of adopt; objects of its releases: ${owners.filter((owner) => releases.includes(owner)).length}`;
}

/** Tests that go on from {@link provesTakeover}: the stack lets go of the mesh, and takes it over again. */
export function provesRelease(mesh: TakenMesh): void {
  it("is given back, and goes on as it is", async () => {
    const rollouts = await mesh.watch.rollouts();
    await mesh.during("given back", async () => {
      const { code, output } = await mesh.adopt("--release");
      assert.equal(code, 0, output);
    });
    assert.deepEqual(await mesh.watch.rollouts(), rollouts);
    const { code, output } = await mesh.run(["preview"]);
    assert.notEqual(code, 0);
    assert.match(output, /did not make it; nothing was changed/);
    assert.doesNotMatch(output, /linkerd-mesh-guard|made by stack/);
  });

  it("is taken over again", () =>
    mesh.during("taken over again", async () => {
      const { code, output } = await mesh.adopt();
      assert.equal(code, 0, output);
      await mesh.succeed(["up"]);
    }));
}

/** A test that ends it all: the stack is told that it may delete the mesh. */
export function provesDestruction(mesh: TakenMesh): void {
  it("is destroyed once it is told so", async () => {
    const adopt = (await mesh.written())["linkerd-mtls:adopt"] as object;
    await mesh.succeed(["up", ...configuration({ adopt: { ...adopt, destroy: true } })]);
    await mesh.succeed(["down", "--keep"]);
    assert.deepEqual(await mesh.watch.rollouts(), {});
    assert.equal((await mesh.watch.uids()).length, 10);
  });
}
