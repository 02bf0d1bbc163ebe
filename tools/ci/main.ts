import { readFile, writeFile } from "node:fs/promises";

import type { Stack } from "@pulumi/pulumi/automation";
import { Command } from "commander";

import { deploy, deployCommand, type DeployOptions } from "../sandbox/command";
import { onStack } from "../sandbox/deploy";
import { UserError } from "../shared/errors";
import { interruption } from "../shared/interruption";
import { type PolicyOptions, withPolicyPack } from "../shared/policyPack";
import { runToEnd } from "../shared/runToEnd";
import { selectOwnStack } from "../shared/stack";
import { lintWorkflows } from "./actionlint";
import { repositoryOf } from "./github";
import { type Answer, issueText, linksOf, type Mesh, updateIssue } from "./meshIssue";
import { comment } from "./preview/comment";
import { previewStack } from "./preview/preview";
import { postComment } from "./pullRequestComment";

interface PreviewOptions extends DeployOptions, PolicyOptions {
  readonly cli: boolean;
  readonly refresh: boolean;
  readonly expectNoChanges: boolean;
  readonly commit?: string;
  readonly out?: string;
}

/** Previews, writes what a reviewer reads, and fails if the preview did or found what it must not. */
async function report(stack: Stack, options: PreviewOptions): Promise<void> {
  const { stack: name, expectNoChanges, out } = options;
  const { report, failure } = await previewStack(stack, { ...options, name });
  const text = comment(report);
  if (out === undefined) console.log(`\n${text}`);
  else await writeFile(out, text);
  if (failure !== undefined) throw failure;
  if (expectNoChanges && report.changes.length > 0) {
    throw new UserError(
      `stack ${name} differs from what is deployed: ${report.changes.length} changes`,
      "deploy it, or bring into the program what was changed by others",
    );
  }
}

/** What verify has answered; undefined where it could not ask, and wrote nothing. */
async function readAnswer(file: string): Promise<Answer | undefined> {
  const text = await readFile(file, "utf8");
  return text.trim() === "" ? undefined : (JSON.parse(text) as Answer);
}

const program = new Command("linkerd-mtls-ci")
  .description("What continuous integration runs, for those who want to run it themselves.")
  .showHelpAfterError();

program.addCommand(
  withPolicyPack(deployCommand("preview", "preview a stack and write what a reviewer reads, as Markdown"))
    .option("--cli", "with the Pulumi CLI on PATH and the backend it is logged in to", false)
    .option("--refresh", "ask the cluster first what it really has", false)
    .option("--expect-no-changes", "fail if something would change", false)
    .option("--commit <sha>", "the commit that is previewed, to be named in the text")
    .option("--out <file>", "write the text to a file. Default: print it")
    .action(async (options: PreviewOptions) => {
      if (options.cli) await report(await selectOwnStack(options.stack), options);
      else {
        await deploy(options, async (target, name, config) =>
          onStack(target, name, config, (stack) => report(stack, options)),
        );
      }
    }),
);

program
  .command("comment")
  .description("put such a text under a pull request, in place of the earlier one of the same stack")
  .requiredOption("--pull-request <number>", "its number")
  .requiredOption("--file <file>", "the text")
  .action(async ({ pullRequest: number, file }: { pullRequest: string; file: string }) => {
    const repository = repositoryOf(process.env, "preview:comment");
    const done = await postComment(repository, number, await readFile(file, "utf8"));
    console.log(`The comment under pull request ${number} is ${done}.`);
  });

program
  .command("issue")
  .description("open, update or close the issue about a mesh, by what npm run verify has found")
  .requiredOption("--stack <stack>", "the stack whose mesh was asked")
  .requiredOption(
    "--file <file>",
    "the output of npm run -s verify -- --output json; without an answer if it is none",
  )
  .option("--out <file>", "write the text to a file, too")
  .action(async ({ stack, file, out }: { stack: string; file: string; out?: string }) => {
    const mesh: Mesh = { stack, answer: await readAnswer(file), ...linksOf(process.env) };
    if (out !== undefined) await writeFile(out, issueText(mesh));
    const { done, issue } = await updateIssue(repositoryOf(process.env, "verify:issue"), mesh);
    console.log(issue === undefined ? "No issue is needed." : `Issue ${issue} is ${done}.`);
  });

program
  .command("lint-workflows")
  .description("check workflows with actionlint, which is built when it is missing")
  .argument("[files...]", "Default: those of .github/workflows")
  .action((files: readonly string[]) => lintWorkflows(files, interruption.signal));

runToEnd(program);
