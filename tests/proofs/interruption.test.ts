import assert from "node:assert/strict";

import { interrupt, repeat } from "../support/interruption";
import { useSandbox } from "../support/testSandbox";

/** The gate's own deadline is five times as long. */
const PROMPT_MS = 60_000;

/** `tests/sandbox/interruption.test.ts` has the moments that matter most. */
describe("a deployment that is interrupted early, late, or for good", () => {
  const sandbox = useSandbox("test-interruption-anywhere");

  it("by SIGINT in the first release ends with 130, leaves nothing running, and is completed by the same command", async () => {
    const { code, output } = await interrupt(sandbox, "SIGINT", "linkerd-crds-release creating");
    assert.equal(code, 130, output);
    assert.match(output, /error: the operation was interrupted\ntry: run the same command again/);
    await repeat(sandbox);
  });

  it("by Ctrl-C while the gate waits does not wait for the gate's deadline", async () => {
    await sandbox.remove();
    await sandbox.hold("proxy-injector");
    const { code, output, took } = await interrupt(sandbox, "SIGINT", "asking the API server");
    assert.equal(code, 130, output);
    assert(took < PROMPT_MS, `${took} ms`);
    await sandbox.release("proxy-injector");
    await repeat(sandbox);
  });

  it("because nobody reads its output any more ends likewise, and is completed likewise", async () => {
    await sandbox.remove();
    const { code, output } = await interrupt(sandbox, "hang up", "linkerd-namespace creating");
    assert.equal(code, 130, output);
    assert.match(output, /error: the operation was interrupted\ntry: run the same command again/);
    await repeat(sandbox);
  });

  it("by the death of its process in a release leaves nothing running, and is completed likewise", async () => {
    await sandbox.remove();
    await interrupt(sandbox, "SIGKILL", "linkerd-control-plane-release creating");
    await repeat(sandbox);
  });
});
