import { endCommands } from "./command";

/**
 * Ends the suite that calls this with its first failure, because each of its tests goes on from where the one before it
 * ended. Mocha's own `bail` ends the other files too when they run in parallel, and leaves their sandboxes behind.
 */
export function stepwise(): void {
  afterEach("the first failure ends the suite", async function () {
    await endCommands();
    if (this.currentTest?.state === "failed") throw new Error("the tests after it are not run");
  });
}
