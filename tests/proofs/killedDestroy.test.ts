import assert from "node:assert/strict";

import { eventually } from "../support/eventually";
import { RepeatedDestroy } from "../support/repeatedDestroy";
import { useSandbox } from "../support/testSandbox";

const UNINSTALLING = "sh.helm.release.v1.linkerd-control-plane.v1 uninstalling";

/** How often a state that passes quickly is tried. */
const ATTEMPTS = 4;

/** `tests/endurance` tries any moment. */
describe("a destroy whose process is killed", () => {
  const sandbox = useSandbox("test-killed-destroy");
  const destroy = new RepeatedDestroy(sandbox);

  before(() => destroy.begin());

  /** Kills a destroy that uninstalls the control plane; whether it was in time. */
  async function killUninstalling(): Promise<boolean> {
    const command = await destroy.start();
    const ended = command.ended.then(() => true);
    const isUninstalling = async () => (await sandbox.helmReleaseStates()).includes(UNINSTALLING);
    await eventually(
      UNINSTALLING,
      120,
      async () => (await isUninstalling()) || Promise.race([ended, Promise.resolve(false)]),
    );
    await destroy.kill(command);
    return isUninstalling();
  }

  it("while the control plane is uninstalled ends when it is repeated, also where nothing is left but the state", async () => {
    let attempts = 1;
    while (!(await killUninstalling())) assert(++attempts <= ATTEMPTS, `never ${UNINSTALLING}`);
    assert.match(await destroy.repeatUnwritten(), /the state is refreshed first/);
  });

  for (const resource of ["linkerd-guard-binding", "linkerd-namespace"]) {
    it(`while ${resource} is deleted ends likewise`, async () => {
      const command = await destroy.start();
      await command.prints(`${resource} deleting`);
      await destroy.kill(command);
      await destroy.repeat();
    });
  }
});
