import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { LocalWorkspace, Stack } from "@pulumi/pulumi/automation";

import { workspaceFile, readStackFile } from "../../tools/shared/stackFile";
import { sandboxTools } from "../../tools/sandbox/build/tools";
import type { Target } from "../../tools/sandbox/target";
import { withStack } from "../../tools/sandbox/workspace";
import type { Ended } from "./command";
import type { Values } from "./stackRuns";

/** What a person can type of what is printed: a command on a line of its own. */
const TYPED = /^\s*((?:pulumi config|kubectl) \S.*?)\s*$/gm;

/** The commands in an output, each once, in the order in which they were printed. */
export function commandsIn(output: string): string[] {
  return [...new Set([...output.matchAll(TYPED)].map(([, command = ""]) => command))];
}

/** A person at a terminal, in the folder of a stack `dev`: previews, deploys, and types what was printed. */
export class Operator {
  private config: Readonly<Record<string, unknown>>;

  /** @param values Configuration to begin with, by key. */
  public constructor(
    private readonly target: Target,
    values: Values,
  ) {
    const own = Object.entries(values).map(([key, value]) => [`linkerd-mtls:${key}`, value]);
    this.config = { ...target.overrides, ...(Object.fromEntries(own) as object) };
  }

  public run(name: "preview" | "up"): Promise<Ended> {
    return this.at(async (stack) => {
      let output = "";
      const note = (text: string) => (output += text);
      const code = await stack[name]({ onOutput: note, onError: note, color: "never" }).then(
        () => 0,
        () => 1,
      );
      return { code, output };
    });
  }

  /** Types commands as they stand, in a shell. */
  public async type(...commands: readonly string[]): Promise<void> {
    const { kubectl } = (await sandboxTools()).tools;
    await this.at(async ({ workspace }) => {
      const { workDir, envVars, pulumiCommand } = workspace as LocalWorkspace;
      const path = [dirname(pulumiCommand.command), dirname(kubectl), process.env.PATH];
      const env = { ...envVars, KUBECONFIG: this.target.paths.kubeconfig, PATH: path.join(":") };
      for (const command of commands) await shell(command, workDir, env);
    });
  }

  /** Writes files into the folder of the stack. */
  public async write(files: Readonly<Record<string, string>>): Promise<void> {
    const { workspace } = this.target.paths;
    await mkdir(workspace, { recursive: true });
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(workspace, name), text, { mode: 0o600 });
    }
  }

  /** What is done with the stack; what that sets in its file stays. */
  public at<T>(use: (stack: Stack) => Promise<T>): Promise<T> {
    return withStack({ ...this.target, stack: "dev", overrides: this.config }, async (stack) => {
      const result = await use(stack);
      this.config = (await readStackFile(workspaceFile(this.target.paths, "dev"))).config ?? {};
      return result;
    });
  }
}

function shell(command: string, cwd: string, env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile("bash", ["-ec", command], { cwd, env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      if (error === null) resolve();
      else reject(new Error(`${command}: ${stderr}${stdout}`, { cause: error }));
    });
  });
}
