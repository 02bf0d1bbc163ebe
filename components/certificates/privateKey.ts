import { createPrivateKey } from "node:crypto";

import { Problem } from "../validation/problem";
import type { CaCertificate } from "./certificateFile";
import { type PemBlock, readPem } from "./pemBlocks";

/** Checks the PEM of an issuer's private key. Nothing of it is in the answer. */
export function checkIssuerKey(pem: string, issuer: CaCertificate | undefined): Problem[] {
  return checkKey(pem, issuer, "must be the PEM of the issuer certificate's private key");
}

/** Checks the PEM of a signing anchor's private key. Nothing of it is in the answer. */
export function checkAnchorKey(pem: string, anchor: CaCertificate | undefined): Problem[] {
  return checkKey(pem, anchor, "must be the PEM of the signing anchor's private key");
}

function checkKey(pem: string, certificate: CaCertificate | undefined, rule: string): Problem[] {
  const found = findProblem(pem, certificate);
  return found === undefined ? [] : [{ path: "", rule, found }];
}

function findProblem(text: string, certificate: CaCertificate | undefined): string | undefined {
  const pem = readPem(text);
  if (typeof pem === "string") {
    return pem;
  }
  const labels = pem.blocks.map(({ label }) => label);
  const [block] = pem.blocks;
  if (labels.length > 1) {
    return `it has ${labels.length} PEM blocks (${labels.join(", ")})`;
  }
  if (block.label === "ENCRYPTED PRIVATE KEY" || text.includes("Proc-Type: 4,ENCRYPTED")) {
    return "it is encrypted with a passphrase";
  }
  const form = FORMS[block.label];
  if (form === undefined) {
    return `it is a PEM block ${block.label}`;
  }
  return parses(block, form, certificate);
}

/** A form of private keys. */
interface Form {
  readonly type: "pkcs1" | "pkcs8" | "sec1";
  /** ASN.1 tag of what follows the version in it. */
  readonly tag: number;
}

/** By label. Go takes each form under its own label only; OpenSSL reads any. */
const FORMS: Readonly<Record<string, Form>> = {
  "PRIVATE KEY": { type: "pkcs8", tag: 0x30 },
  "EC PRIVATE KEY": { type: "sec1", tag: 0x04 },
  "RSA PRIVATE KEY": { type: "pkcs1", tag: 0x02 },
};

function parses(
  { der, label }: PemBlock,
  { type, tag }: Form,
  certificate: CaCertificate | undefined,
): string | undefined {
  const found = tagAfterVersion(der);
  if (found !== tag) {
    const other = Object.values(FORMS).some((form) => form.tag === found);
    return other ? `its PEM block ${label} has a key in another form` : "it cannot be parsed";
  }
  try {
    const key = createPrivateKey({ key: der, format: "der", type });
    return certificate?.certificate.checkPrivateKey(key) === false
      ? "it belongs to another certificate"
      : undefined;
  } catch {
    // The message might quote the key.
    return "it cannot be parsed";
  }
}

/** The tag behind the version, an integer of one byte that begins every private key. */
function tagAfterVersion(der: Buffer): number | undefined {
  const length = der[1] ?? 0;
  // A longer length has its own length in the lower bits.
  const version = length < 0x80 ? 2 : 2 + (length & 0x7f);
  return der[version + 3];
}
