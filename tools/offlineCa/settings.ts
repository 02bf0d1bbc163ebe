import { copyFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import type { LocalWorkspace, Stack } from "@pulumi/pulumi/automation";

import { run } from "../shared/run";

/** One value of a stack's configuration. */
export interface Setting {
  /** The full key, or a path below one. */
  readonly key: string;
  readonly value: string;
  readonly secret: boolean;
}

/**
 * Sets all of the values, or none: Pulumi's CLI writes them to a copy of the stack's file, secrets encrypted, and the copy
 * takes its place. The values go to the CLI by its standard input.
 */
export async function setAll(
  stack: Stack,
  file: string,
  settings: readonly Setting[],
  signal: AbortSignal,
): Promise<void> {
  const { workDir, envVars, pulumiCommand } = stack.workspace as LocalWorkspace;
  // The CLI knows a format by the end of the name.
  const copy = join(dirname(file), `.offline-ca.${basename(file)}`);
  await copyFile(file, copy);
  try {
    for (const { key, value, secret } of settings) {
      const flags = [
        "--non-interactive",
        "--config-file",
        copy,
        "--path",
        secret ? "--secret" : "--plaintext",
      ];
      await run(pulumiCommand.command, ["config", "set", "--stack", stack.name, ...flags, key], {
        cwd: workDir,
        env: envVars,
        input: value,
        signal,
      });
    }
    signal.throwIfAborted();
    await rename(copy, file);
  } finally {
    await rm(copy, { force: true });
  }
}
