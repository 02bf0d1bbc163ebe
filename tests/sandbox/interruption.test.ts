import assert from "node:assert/strict";

import { interrupt, repeat } from "../support/interruption";
import { useSandbox } from "../support/testSandbox";

describe("a deployment that is interrupted", () => {
  const sandbox = useSandbox("test-interruption");

  it("by SIGTERM in a release ends with 130, leaves nothing running, and is completed by the same command", async () => {
    const { code, output } = await interrupt(sandbox, "SIGTERM", "linkerd-control-plane-release creating");
    assert.equal(code, 130, output);
    assert.match(output, /error: the operation was interrupted\ntry: run the same command again/);
    await repeat(sandbox);
  });

  it("by the death of its process at the gate leaves nothing running, and is completed likewise", async () => {
    await sandbox.remove();
    await interrupt(sandbox, "SIGKILL", "linkerd-gate-opened creating");
    await repeat(sandbox);
  });
});
