import { createPrivateKey } from "node:crypto";
import { constants, gunzipSync } from "node:zlib";

/** Length of a piece: two of them never both lie on the break of a PEM's lines, and 120 bits do not occur by chance. */
const PIECE = 20;

/** How gzip begins, in base64 once and twice: so Helm keeps a release in a Secret. */
const PACKED = /(?:H4sI|SDRzS)[A-Za-z0-9+/=]{16,}/g;
const GZIP = Buffer.from([0x1f, 0x8b]);

/** What is searched for: a private key in every form in which it might be written down, by the key's name. */
export type Canaries = ReadonlyMap<string, readonly string[]>;

/** The canaries of private keys, which are PEMs of elliptic curves in any form, by a name of each. */
export function canaries(keys: ReadonlyMap<string, string>): Canaries {
  return new Map([...keys].map(([name, pem]) => [name, forms(pem)]));
}

/**
 * The secret number of a key in hexadecimal digits, in base64, which every PEM is, and in base64 of that, in which a Secret
 * keeps a PEM; base64 at every place at which it may begin.
 */
function forms(pem: string): string[] {
  const { d } = createPrivateKey(pem).export({ format: "jwk" });
  if (d === undefined) throw new Error("the key is not of an elliptic curve");
  const secret = Buffer.from(d, "base64url");
  const hex = secret.toString("hex");
  const once = inBase64(secret).flatMap((text) => [text.slice(0, PIECE), text.slice(-PIECE)]);
  const twice = once.flatMap((text) => inBase64(Buffer.from(text)));
  return [hex, hex.toUpperCase(), ...once, ...twice];
}

/** The characters that are the same whatever stands before and after the bytes; for each place in a group of three. */
function inBase64(bytes: Buffer): string[] {
  return [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
  });
}

/** Names of the keys that occur in the text, packed or not. */
export function occurring(text: string | Buffer, searched: Canaries): string[] {
  const texts = unpacked(text);
  return [...searched]
    .filter(([, pieces]) => pieces.some((piece) => texts.some((each) => each.includes(piece))))
    .map(([name]) => name);
}

/** The text, and all that is packed in it. */
function unpacked(text: string | Buffer): string[] {
  if (typeof text !== "string") {
    const contents = text.subarray(0, GZIP.length).equals(GZIP) ? unzipped(text) : undefined;
    return contents === undefined ? unpacked(text.toString("latin1")) : unpacked(contents);
  }
  const inner = [...text.matchAll(PACKED)].flatMap(([packed]) => {
    const once = Buffer.from(packed, "base64");
    const zipped = once.subarray(0, GZIP.length).equals(GZIP) ? once : Buffer.from(once.toString(), "base64");
    const contents = unzipped(zipped);
    return contents === undefined ? [] : unpacked(contents);
  });
  return [text, ...inner];
}

/** Undefined where it only begins as gzip does: in megabytes of encrypted values, that happens. */
function unzipped(zipped: Buffer): Buffer | undefined {
  try {
    // What was cut off is unpacked as far as it goes.
    return gunzipSync(zipped, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return undefined;
  }
}
