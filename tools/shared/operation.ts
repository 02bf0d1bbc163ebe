import { ConcurrentUpdateError } from "@pulumi/pulumi/automation";
import { UserError } from "./errors";
import { cancellation, interruption, overhear } from "./interruption";

/**
 * Resources that are created at the same time. Most of the time each of them waits for its pods, which the default, four
 * for each core, would make the next ones do too.
 */
const PARALLEL = 256;

/** Options of every operation: Pulumi's own progress goes to the terminal as it comes, and an interruption ends it. */
export const OPERATION = {
  onOutput: (text: string) => {
    overhear(text);
    process.stdout.write(text);
  },
  onError: (text: string) => process.stderr.write(text),
  color: process.stdout.isTTY ? "always" : "never",
  parallel: PARALLEL,
  signal: cancellation.signal,
} as const;

/** An operation of Pulumi that failed; the CLI has printed why. */
export class FailedOperation extends UserError {}

/** What to do after an operation that did not end. */
export const AGAIN = "run the same command again; what is done already is not done again";

/**
 * Awaits one operation of Pulumi, which keeps its state when it fails or is interrupted.
 *
 * @throws UserError when it is interrupted, when another operation locks the stack, or when it fails.
 */
export async function operate<T>(operation: Promise<T>): Promise<T> {
  try {
    return await operation;
  } catch (error) {
    // The CLI has printed what was wrong; its whole output again, as the Automation API throws it, would bury that.
    if (error instanceof UserError) throw error;
    if (interruption.signal.aborted) {
      throw new UserError("the operation was interrupted", AGAIN, { cause: error });
    }
    if (error instanceof ConcurrentUpdateError) {
      throw new UserError("another operation is at work on this stack", "wait until it has ended", {
        cause: error,
      });
    }
    throw new FailedOperation("the operation failed; the reason is above", `fix it, then ${AGAIN}`, {
      cause: error,
    });
  }
}
