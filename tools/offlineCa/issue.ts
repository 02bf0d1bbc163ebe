import type { Stack } from "@pulumi/pulumi/automation";

import { UserError } from "../shared/errors";
import { setAll, type Setting } from "../shared/settings";
import { type AnchorEntry, anchorsOf, PROVIDED, readStackFile } from "../shared/stackFile";
import { readAnchorKey, writeAnchorKey } from "./anchorKey";
import { type Authority, makeAnchor, makeIssuer } from "./authority";

/** What is to be made, and for which stack. */
export interface IssueArgs {
  /** Name of the stack, as its owner knows it. */
  readonly stackName: string;
  /** The stack's file, which gets the values. */
  readonly file: string;
  /** id of the anchor. Default: the only one. */
  readonly anchor?: string;
  /** File of the anchor's key: read where it exists, else written. Default: the key is thrown away. */
  readonly anchorKey?: string;
  readonly anchorValidityHours: number;
  readonly issuerValidityHours: number;
  /** Whether an issuer that is set may be replaced. */
  readonly replace: boolean;
  /** Whether the anchor may be replaced, and with it the issuer. */
  readonly replaceAnchor: boolean;
  readonly signal: AbortSignal;
}

/** What was set. */
export interface Issued {
  readonly anchor: Authority;
  readonly issuer: Authority;
  /** id of the anchor. */
  readonly id: string;
  readonly anchorIs: "new" | "replaced" | "kept";
}

/**
 * Makes an issuer, and the trust anchor that signs it unless its key is at hand, and sets them in the stack's
 * configuration.
 *
 * @throws UserError when nothing was set, and why.
 */
export async function issue(stack: Stack, args: IssueArgs): Promise<Issued> {
  const { config = {} } = await readStackFile(args.file);
  requireProvided(config, args.stackName);
  const { entry, index } = chooseAnchor(anchorsOf(config), args.anchor);
  const present = textOf(entry.certificate);
  const trustDomain = textOf(config["linkerd-mtls:trustDomain"]) ?? "cluster.local";

  const kept = await keptAnchor(present, args);
  refuseReplacement(args, {
    anchor: kept === undefined && present !== undefined,
    issuer: (config[PROVIDED.issuer] ?? config[PROVIDED.issuerKey]) !== undefined,
  });
  const anchor = kept ?? (await makeAnchor({ trustDomain, validityHours: args.anchorValidityHours }));
  const issuer = await makeIssuer(anchor, { trustDomain, validityHours: args.issuerValidityHours });

  const path = `${PROVIDED.anchors}[${index}].certificate`;
  const settings: Setting[] = [
    ...(kept ? [] : [{ key: path, value: anchor.certificate, secret: false }]),
    { key: PROVIDED.issuer, value: issuer.certificate, secret: false },
    { key: PROVIDED.issuerKey, value: issuer.key, secret: true },
  ];
  const takeAway =
    args.anchorKey !== undefined && !kept ? await writeAnchorKey(args.anchorKey, anchor.key) : undefined;
  try {
    await setAll(stack, args.file, settings, args.signal);
  } catch (error) {
    await takeAway?.();
    if (!args.signal.aborted) throw error;
    throw new UserError("interrupted; nothing was set", undefined, { cause: error });
  }
  const anchorIs = kept ? "kept" : present === undefined ? "new" : "replaced";
  return { anchor, issuer, id: String(entry.id), anchorIs };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function requireProvided(config: Readonly<Record<string, unknown>>, stackName: string): void {
  const source = textOf(config[PROVIDED.source]) ?? "generated";
  if (source === "provided") return;
  throw new UserError(
    `stack ${stackName} has ${PROVIDED.source}=${source}, and takes a trust anchor and an issuer only with provided`,
    `pulumi config set ${PROVIDED.source} provided -s ${stackName}`,
  );
}

function chooseAnchor(
  anchors: readonly AnchorEntry[],
  id: string | undefined,
): { entry: AnchorEntry; index: number } {
  const ids = anchors.map((anchor) => String(anchor.id));
  const index = id === undefined && anchors.length === 1 ? 0 : ids.indexOf(id ?? "");
  const entry = anchors[index];
  if (entry !== undefined) return { entry, index };
  throw new UserError(
    `${PROVIDED.anchors} has ${ids.join(", ") || "no anchor"}, and ${id === undefined ? "none was chosen" : `not ${id}`}`,
    ids.length === 0
      ? `pulumi config set --path '${PROVIDED.anchors}[0].id' primary`
      : `--anchor ${ids[0] ?? ""}`,
  );
}

/** The stack's anchor with its key, where the file has it and the anchor is to stay. */
async function keptAnchor(
  certificate: string | undefined,
  { anchorKey, stackName, replaceAnchor }: IssueArgs,
): Promise<Authority | undefined> {
  if (anchorKey === undefined || replaceAnchor) return undefined;
  const key = await readAnchorKey(anchorKey, certificate);
  if (key === undefined) return undefined;
  if (certificate !== undefined) return { certificate, key };
  throw new UserError(
    `${anchorKey} exists, and stack ${stackName} has no trust anchor whose key it could be`,
    "name a file that does not exist, or set the anchor's certificate",
  );
}

function refuseReplacement(
  { stackName, replace, replaceAnchor, anchorKey }: IssueArgs,
  replaced: { readonly anchor: boolean; readonly issuer: boolean },
): void {
  if (replaceAnchor) return;
  const nothing = "nothing was changed";
  if (replaced.anchor) {
    const missing = anchorKey === undefined ? "" : `, and ${anchorKey} does not exist`;
    throw new UserError(
      `stack ${stackName} has a trust anchor already${missing}; ${nothing}`,
      "--replace --anchor-key FILE for another issuer of the same anchor, whose key is in FILE; " +
        "--replace-anchor for another anchor too, which no pod of a running mesh trusts",
    );
  }
  if (replaced.issuer && !replace) {
    throw new UserError(`stack ${stackName} has an issuer already; ${nothing}`, "--replace");
  }
}
