import assert from "node:assert/strict";

import { succeed } from "../support/command";
import { eventually } from "../support/eventually";
import { RepeatedDeployment } from "../support/repeatedDeployment";
import { useSandbox } from "../support/testSandbox";

/** The moments at which nothing but a repeated deployment helps; `tests/endurance` tries any moment. */
describe("a deployment whose process is killed", () => {
  const sandbox = useSandbox("test-killed");
  const deployment = new RepeatedDeployment(sandbox);

  before(() => deployment.measure());

  // Helm goes on with none of these by itself.
  for (const [release, left] of [
    ["linkerd-crds.v1", "deployed"],
    ["linkerd-control-plane.v1", "pending-install"],
  ] as const) {
    it(`with Helm's record ${release} ${left} ends, when it is repeated, as if nothing had happened`, async () => {
      await deployment.killFirstAt(`sh.helm.release.v1.${release} ${left}`);
      await deployment.repeat();
    });
  }

  it("in the middle of an upgrade ends likewise", async () => {
    const values = { trustAnchors: [{ id: "2026" }, { id: "2027" }], signingAnchor: "2026" };
    const upgrade = "sh.helm.release.v1.linkerd-control-plane.v2 pending-upgrade";
    await deployment.killNextAt(upgrade, values);
    await succeed(...deployment.command(values));
    const states = await sandbox.helmReleaseStates();
    assert.ok(states.includes("sh.helm.release.v1.linkerd-control-plane.v2 deployed"), states.join("\n"));
    assert.match(await succeed(...deployment.command(values)), /Resources:\s+\d+ unchanged\s/);
  });

  it("by the API server, which restarts, ends likewise", async () => {
    await deployment.fresh();
    const command = deployment.start();
    await command.prints("linkerd-control-plane-release creating");
    const { "kube-apiserver": pid } = await sandbox.processNumbers();
    assert(pid !== undefined);
    process.kill(pid, "SIGKILL");
    const { code, output } = await command.ended;
    console.log(`      up ended with ${code} while the API server was away`);
    if (code !== 0) assert.match(output, /try: .*then run the same command again/);
    await eventually("the API server answers again", 120, () =>
      sandbox.kubectl(["get", "--raw", "/readyz"]).then(
        () => true,
        () => false,
      ),
    );
    await deployment.repeat();
  });
});
