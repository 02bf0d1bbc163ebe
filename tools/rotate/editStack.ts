import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";

import { TRUST_ANCHOR_VALIDITY_HOURS } from "../../components/pki/trustAnchor";
import { HOURS_PER_YEAR } from "../../components/pki/keyGeneration";
import { readAnchorKey, writeAnchorKey } from "../offlineCa/anchorKey";
import { makeAnchor, makeIssuer } from "../offlineCa/authority";
import { UserError } from "../shared/errors";
import { interruption } from "../shared/interruption";
import { setAll } from "../shared/settings";
import { keepAdopted, ownFile } from "../shared/stackFile";
import { type Anchor, EDITED, TRUST } from "./configuration";
import { edited, editFile, replaceFile } from "./edit";
import type { Step } from "./steps";
import { pathsOf, type Selected, type TargetOptions } from "./target";
import { validityIn } from "./trust";

const HOUR_MS = 60 * 60 * 1000;

/** With what a step is done. */
export interface StepOptions extends TargetOptions {
  /** File of the key of a provided anchor: written with a new anchor, read where it signs. */
  readonly anchorKey?: string;
}

/** Takes an edit back. */
export type Undo = () => Promise<void>;

/**
 * Makes what the step needs and edits the stack's configuration, which is valid before and after it.
 *
 * @throws UserError where the key of the anchor is needed and cannot be read or written; nothing is edited then.
 */
export async function editStack(selected: Selected, step: Step, options: StepOptions): Promise<Undo> {
  const { file } = selected;
  const isInstance = !options.cli;
  const kept = isInstance ? ownFile(pathsOf(options), options.stack) : file;
  const before = existsSync(kept) ? await readFile(kept, "utf8") : undefined;
  const takeAway = await editWorkspace(selected, step, options);
  if (isInstance) await keepAdopted(pathsOf(options), options.stack, EDITED);
  return async () => {
    await (before === undefined ? rm(kept, { force: true }) : replaceFile(kept, before));
    await takeAway();
  };
}

async function editWorkspace(
  { stack, file }: Selected,
  { make, edits, anchor: id = "", configuration }: Step,
  { anchorKey }: StepOptions,
): Promise<Undo> {
  const nothing = () => Promise.resolve();
  if (make === undefined) {
    await editFile(file, edits);
    return nothing;
  }
  if (anchorKey === undefined)
    throw new UserError(`the key of trust anchor ${id} is needed`, NEEDS_KEY[make]);
  const { trustDomain, anchors } = configuration;
  if (make === "anchor") {
    const made = await makeAnchor({ trustDomain, validityHours: TRUST_ANCHOR_VALIDITY_HOURS });
    const takeAway = await writeAnchorKey(anchorKey, made.key);
    const withCertificate = (anchor: Anchor): Anchor =>
      anchor.id === id ? { ...anchor, certificate: made.certificate } : anchor;
    await editFile(file, { ...edits, anchors: anchors.map(withCertificate) });
    console.log(`The key of trust anchor ${id} is in ${anchorKey} and nowhere else.`);
    return takeAway;
  }
  const certificate = anchors.find((anchor) => anchor.id === id)?.certificate ?? "";
  const key = await readAnchorKey(anchorKey, certificate);
  if (key === undefined) throw new UserError(`there is no file ${anchorKey}`, NEEDS_KEY[make]);
  const end = validityIn(certificate)?.notAfter.getTime() ?? 0;
  const validityHours = Math.min(HOURS_PER_YEAR, Math.floor((end - Date.now()) / HOUR_MS));
  const issuer = await makeIssuer({ certificate, key }, { trustDomain, validityHours });
  const settings = [
    { key: TRUST.issuerCertificate, value: issuer.certificate, secret: false },
    { key: TRUST.issuerKey, value: issuer.key, secret: true },
  ];
  await setAll(stack, file, settings, interruption.signal, (contents) => edited(contents, edits));
  return nothing;
}

const NEEDS_KEY = {
  anchor: "--anchor-key FILE, a file that does not exist yet: the key of the new anchor is written to it",
  issuer: "--anchor-key FILE with the key of that anchor; or set issuerCertificate and issuerKey yourself",
} as const;
