import type { Command } from "commander";
import { messageOf, UserError } from "./errors";
import { interruption } from "./interruption";

/** Exit code of a process that Ctrl-C ended, by convention. */
const INTERRUPTED = 130;

/** Runs the command that the process was started with, and ends the process; a failure is shown with its remedy. */
export function runToEnd(program: Command): void {
  const { signal } = interruption;
  program.parseAsync().then(
    () => process.exit(signal.aborted ? INTERRUPTED : process.exitCode),
    (error: unknown) => {
      showError(error);
      process.exit(signal.aborted ? INTERRUPTED : 1);
    },
  );
}

/** Prints an error to standard error: with its remedy where it is a `UserError`, with its stack trace otherwise. */
export function showError(error: unknown): void {
  const known = error instanceof UserError;
  console.error(
    `\nerror: ${known || !(error instanceof Error) ? messageOf(error) : (error.stack ?? error.message)}`,
  );
  if (known && error.remedy !== undefined) console.error(`try: ${error.remedy}`);
}
