import { createPrivateKey } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";

import { messageOf, UserError } from "../shared/errors";
import { isKeyOf } from "./authority";

/** Only its owner may read it. */
const PRIVATE = 0o600;

/**
 * Reads an anchor's key from its file.
 *
 * @returns The key as PKCS#8; undefined where there is no such file.
 * @throws UserError when it is not the key of that anchor, or of a kind with which this command does not sign.
 */
export async function readAnchorKey(
  file: string,
  certificate: string | undefined,
): Promise<string | undefined> {
  if (!existsSync(file)) return undefined;
  const key = parse(file, await readFile(file, "utf8"));
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") {
    throw new UserError(`${file} has a key of another kind than ECDSA P-256`, "sign with openssl or step");
  }
  if (certificate !== undefined && !isKeyOf(key, certificate)) {
    throw new UserError(`${file} has the key of another trust anchor than the stack's`, "name another file");
  }
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

function parse(file: string, pem: string) {
  try {
    return createPrivateKey(pem);
  } catch {
    // The message might quote the key.
    throw new UserError(`${file} has no private key that can be read without a passphrase`);
  }
}

/**
 * Writes a new key to a file that does not exist yet.
 *
 * @returns Takes the file away again.
 * @throws UserError when it exists, or cannot be written.
 */
export async function writeAnchorKey(file: string, key: string): Promise<() => Promise<void>> {
  try {
    await writeFile(file, key, { mode: PRIVATE, flag: "wx" });
  } catch (error) {
    throw new UserError(`the key cannot be written: ${messageOf(error)}`, "name another file", {
      cause: error,
    });
  }
  return () => rm(file);
}
