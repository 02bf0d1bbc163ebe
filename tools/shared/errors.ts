/** A failure that the user can fix. It is shown as it is, without a stack trace. */
export class UserError extends Error {
  /**
   * @param message What went wrong, with the values that matter.
   * @param remedy What to do about it; a command where there is one.
   * @param options The cause, for debugging.
   */
  constructor(
    message: string,
    readonly remedy?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "UserError";
  }
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
