import * as pulumi from "@pulumi/pulumi";

/** The warnings that an action logs. */
export async function warningsOf(action: () => unknown): Promise<string[]> {
  const logged: string[] = [];
  const { warn } = pulumi.log;
  const log = pulumi.log as { warn: typeof warn };
  log.warn = (message) => {
    logged.push(message);
    return Promise.resolve();
  };
  try {
    await action();
  } finally {
    log.warn = warn;
  }
  return logged;
}
