import assert from "node:assert/strict";

import { eventually } from "../support/eventually";
import { RepeatedDestroy } from "../support/repeatedDestroy";
import { useSandbox } from "../support/testSandbox";

const UNINSTALLING = "sh.helm.release.v1.linkerd-control-plane.v1 uninstalling";

/** `tests/endurance` tries any moment. */
describe("a destroy whose process is killed", () => {
  const sandbox = useSandbox("test-killed-destroy");
  const destroy = new RepeatedDestroy(sandbox);

  before(() => destroy.begin());

  it("while the control plane is uninstalled ends when it is repeated, also where nothing is left but the state", async () => {
    const command = await destroy.start();
    await eventually(UNINSTALLING, 120, async () =>
      (await sandbox.helmReleaseStates()).includes(UNINSTALLING),
    );
    await destroy.kill(command);
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
