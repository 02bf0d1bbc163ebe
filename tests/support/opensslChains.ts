import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { run } from "../../tools/shared/run";

/** Keys as openssl's option `-newkey` and its settings name them. */
const KEYS = {
  "P-256": ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
  "RSA 2048": ["rsa:2048"],
  "RSA 4096": ["rsa:4096"],
};

/** A certificate that openssl made, with its key, both PEM. */
export interface OpensslCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** What openssl is told to make. */
export interface OpensslArgs {
  /** E.g. `/O=Example/CN=example`. */
  readonly subject: string;
  /** Default `P-256`. */
  readonly kind?: keyof typeof KEYS;
  /** Default: itself. */
  readonly signer?: OpensslCertificate;
  /** Beyond those of a CA that may sign, e.g. `subjectAltName=DNS:example.org`. */
  readonly extensions?: readonly string[];
}

/** Has the openssl on PATH make a CA for a year. */
export async function opensslCertificate(args: OpensslArgs): Promise<OpensslCertificate> {
  const { subject, kind = "P-256", signer, extensions = [] } = args;
  const folder = await mkdtemp(join(tmpdir(), "openssl-chain-"));
  const file = (name: string): string => join(folder, name);
  try {
    if (signer !== undefined) {
      await writeFile(file("signer.crt"), signer.certificate);
      await writeFile(file("signer.key"), signer.key, { mode: 0o600 });
    }
    const added = ["keyUsage=critical,keyCertSign,cRLSign", ...extensions];
    const certificate = await run("openssl", [
      ...["req", "-x509", "-sha256", "-noenc", "-days", "365", "-subj", subject],
      ...["-newkey", ...KEYS[kind], "-keyout", file("ca.key")],
      ...(signer === undefined ? [] : ["-CA", file("signer.crt"), "-CAkey", file("signer.key")]),
      ...added.flatMap((extension) => ["-addext", extension]),
    ]);
    return { certificate, key: await readFile(file("ca.key"), "utf8") };
  } finally {
    await rm(folder, { recursive: true });
  }
}
