import { basename } from "node:path";

import type { Stack } from "@pulumi/pulumi/automation";
import { Command, InvalidArgumentError } from "commander";

import { TRUST_ANCHOR_VALIDITY_HOURS } from "../../components/pki/trustAnchor";
import { HOURS_PER_YEAR, MAX_VALIDITY_HOURS, VALIDITY_HOURS } from "../../components/pki/keyGeneration";
import { CaCertificate } from "../../components/certificates/certificateRules";
import { interruption } from "../shared/interruption";
import { DEFAULT_SANDBOX, contextPaths, sandboxPaths } from "../shared/paths";
import { runToEnd } from "../shared/runToEnd";
import { selectOwnStack } from "../shared/stack";
import { checkoutFile, keepProvided, requireStack, workspaceFile } from "../shared/stackFile";
import { prepare } from "../sandbox/build/prepare";
import { pulumiTools } from "../sandbox/build/pulumi";
import { withStack } from "../sandbox/workspace";
import { issue, type IssueArgs, type Issued } from "./issue";

interface Options extends Pick<
  IssueArgs,
  "anchor" | "anchorKey" | "anchorValidityHours" | "issuerValidityHours" | "replace" | "replaceAnchor"
> {
  readonly stack: string;
  readonly name: string;
  readonly context?: string;
  readonly cli: boolean;
}

const { signal } = interruption;

function hours(text: string): number {
  const value = Number(text);
  if (VALIDITY_HOURS.allows(value) && value >= 2) return value;
  throw new InvalidArgumentError(`expected a whole number of hours, 2 to ${MAX_VALIDITY_HOURS}`);
}

/** For the checkout's stack, with the Pulumi CLI on PATH and the backend that it is logged in to. */
async function forOwnStack(options: Options): Promise<Issued> {
  const stack = await selectOwnStack(options.stack);
  return issue(stack, argsOf(options, checkoutFile(basename(options.stack))));
}

/** For the stack of a sandbox, or of a context, whose configuration is kept apart from the checkout. */
async function forSandbox(options: Options): Promise<Issued> {
  const { stack: name, context } = options;
  requireStack(name);
  const paths = context === undefined ? sandboxPaths(options.name) : contextPaths(context);
  const pulumi = await pulumiTools();
  await prepare([pulumi], signal);
  const use = async (stack: Stack) => {
    const issued = await issue(stack, argsOf(options, workspaceFile(paths, name)));
    await keepProvided(paths, name);
    return issued;
  };
  return withStack({ stack: name, paths, pulumi: pulumi.tools, overrides: {} }, use);
}

function argsOf(options: Options, file: string): IssueArgs {
  return { ...options, stackName: options.stack, file, signal };
}

function report({ anchor, issuer, id, anchorIs }: Issued, { anchorKey, stack }: Options): void {
  const about = (pem: string) => {
    const { certificate, notAfter } = new CaCertificate(pem);
    return `SHA-256 ${certificate.fingerprint256}\n    valid until ${notAfter.toISOString()}`;
  };
  console.log(`Stack ${stack}:`);
  console.log(`  trust anchor ${id} (${anchorIs})\n    ${about(anchor.certificate)}`);
  console.log(`  issuer (new), its key encrypted\n    ${about(issuer.certificate)}`);
  if (anchorIs === "kept") return;
  console.log(
    anchorKey === undefined
      ? "The anchor's key was thrown away: no other issuer can be made under this anchor (--anchor-key FILE keeps it)."
      : `The anchor's key is in ${anchorKey} and nowhere else: take it off this machine.`,
  );
  if (anchorIs === "new") return;
  console.log("No pod trusts the new anchor until it is replaced: docs/operations.md, Recovery.");
}

const program = new Command("offline-ca")
  .description(
    "Makes a trust anchor and an issuer, and sets them as configuration of a stack with certificates=provided; " +
      "the issuer's key is encrypted there, and the anchor's key stays out of it.",
  )
  .option("--stack <stack>", "the stack; with --cli with its organization where it has one", "prod")
  .option("--name <name>", "of which sandbox; it need not run", DEFAULT_SANDBOX)
  .option("--context <context>", "of `npm run up -- --context`, instead of a sandbox")
  .option(
    "--cli",
    "of the Pulumi CLI on PATH and the backend it is logged in to, instead of a sandbox",
    false,
  )
  .option("--anchor <id>", "which of the stack's trust anchors. Default: the only one")
  .option(
    "--anchor-key <file>",
    "where the anchor's key is kept. The key in a file that exists signs another issuer of the same anchor; else the file is made. " +
      "Default: the key is thrown away",
  )
  .option("--anchor-validity-hours <hours>", "of a new anchor", hours, TRUST_ANCHOR_VALIDITY_HOURS)
  .option("--issuer-validity-hours <hours>", "of the issuer", hours, HOURS_PER_YEAR)
  .option("--replace", "replace an issuer that is set already", false)
  .option("--replace-anchor", "replace the anchor too, and the issuer with it", false)
  .showHelpAfterError()
  .action(async (options: Options) => {
    report(await (options.cli ? forOwnStack(options) : forSandbox(options)), options);
  });

runToEnd(program);
