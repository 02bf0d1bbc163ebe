import { normalizePem } from "./pem";

/** A block of a PEM text. */
export interface PemBlock {
  /** E.g. `CERTIFICATE`. */
  readonly label: string;
  /** Whether it has headers, such as that of a key with a passphrase. */
  readonly hasHeaders: boolean;
  readonly der: Buffer;
}

/** What a PEM text consists of. */
export interface PemText {
  readonly blocks: readonly [PemBlock, ...PemBlock[]];
  /** Whether text follows the last block. */
  readonly hasTextAfter: boolean;
}

const BEGIN = "-----BEGIN ";
const END = "-----END ";
const DASHES = "-----";
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * Reads a PEM text, in the form in which it is deployed, as Go's decoder does in Linkerd: BEGIN and END have lines of their
 * own, and text before a block is skipped. Go skips a damaged block too, which here is a mistake.
 *
 * @returns What is wrong with it, if anything. Nothing of the text is in the answer: it may be a key.
 */
export function readPem(text: string): PemText | string {
  const lines = normalizePem(text)
    .split("\n")
    .map((line) => line.replace(/[ \t]*\r?$/, ""));
  const blocks: PemBlock[] = [];
  let begin: number | undefined;
  let end = -1;
  for (const [index, line] of lines.entries()) {
    if (line.lastIndexOf(BEGIN) > 0 || line.lastIndexOf(END) > 0) {
      return "a PEM block begins or ends in the middle of a line";
    }
    if (line.startsWith(BEGIN)) {
      if (begin !== undefined) {
        return DAMAGED;
      }
      begin = index;
    } else if (line.startsWith(END)) {
      const block = begin === undefined ? undefined : readBlock(lines.slice(begin, index + 1));
      if (block === undefined) {
        return DAMAGED;
      }
      blocks.push(block);
      [begin, end] = [undefined, index];
    }
  }
  const [first, ...others] = blocks;
  if (begin !== undefined) {
    return DAMAGED;
  }
  return first === undefined
    ? "it has no PEM block"
    : { blocks: [first, ...others], hasTextAfter: lines.slice(end + 1).some((line) => line !== "") };
}

const DAMAGED = "its PEM block is damaged";

/** A block from its first line to its last; undefined where it is damaged. */
function readBlock([first = "", ...rest]: readonly string[]): PemBlock | undefined {
  const label = first.slice(BEGIN.length, -DASHES.length);
  if (first !== `${BEGIN}${label}${DASHES}` || rest.at(-1) !== `${END}${label}${DASHES}`) {
    return undefined;
  }
  const lines = rest.slice(0, -1);
  const body = lines.slice(headers(lines));
  const base64 = body.join("").replace(/[ \t\r]/g, "");
  return BASE64.test(base64)
    ? { label, hasHeaders: body.length < lines.length, der: Buffer.from(base64, "base64") }
    : undefined;
}

/** How many lines of a block are headers. */
function headers(lines: readonly string[]): number {
  const end = lines.findIndex((line) => !line.includes(":"));
  return end < 0 ? lines.length : end;
}
