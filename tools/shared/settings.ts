import { existsSync } from "node:fs";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import type { LocalWorkspace, Stack } from "@pulumi/pulumi/automation";

import { run } from "./run";

/** A text of a stack's configuration. */
export interface Setting {
  /** The full key, or a path below one. */
  readonly key: string;
  readonly value: string;
  readonly secret: boolean;
}

/** What is changed beside the texts, before them: values of any form in the contents of the file, which has no secret of them. */
export type Edit = (contents: string) => string;

/**
 * Sets all of the values, or none: Pulumi's CLI writes them to a copy of the stack's file, secrets encrypted, and the copy
 * takes its place. The values go to the CLI by its standard input.
 */
export async function setAll(
  stack: Stack,
  file: string,
  settings: readonly Setting[],
  signal: AbortSignal,
  edit: Edit = (contents) => contents,
): Promise<void> {
  const { workDir, envVars, pulumiCommand } = stack.workspace as LocalWorkspace;
  // The CLI knows a format by the end of the name.
  const copy = join(dirname(file), `.new.${basename(file)}`);
  await writeFile(copy, edit(existsSync(file) ? await readFile(file, "utf8") : ""));
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
