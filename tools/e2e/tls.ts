import type { Stream } from "./pcap";

/** What is to be seen of a stream from outside. */
export interface Seen {
  /** Whether it is TLS records from its first byte to its last. */
  readonly isTls: boolean;
  /** Number of records with encrypted data of the application. */
  readonly encryptedRecords: number;
  /** The name that the client asks for, in its first message. */
  readonly serverName?: string;
}

const HANDSHAKE = 22;
const APPLICATION_DATA = 23;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;

/** Reads the records of a stream (RFC 8446, section 5.1). The last one may be cut off where the capture ended. */
export function look({ bytes }: Stream): Seen {
  let encryptedRecords = 0;
  let serverName: string | undefined;
  let offset = 0;
  while (offset + 5 <= bytes.length) {
    const type = bytes.readUInt8(offset);
    const isRecord = type >= 20 && type <= APPLICATION_DATA && bytes.readUInt8(offset + 1) === 3;
    if (!isRecord || (offset === 0 && type !== HANDSHAKE)) return { isTls: false, encryptedRecords: 0 };
    const body = bytes.subarray(offset + 5, offset + 5 + bytes.readUInt16BE(offset + 3));
    if (type === APPLICATION_DATA) encryptedRecords++;
    if (offset === 0) serverName = readServerName(body);
    offset += 5 + bytes.readUInt16BE(offset + 3);
  }
  return { isTls: offset > 0, encryptedRecords, ...(serverName !== undefined && { serverName }) };
}

/** The server's name in a ClientHello (RFC 8446, section 4.1.2, and RFC 6066, section 3). */
function readServerName(hello: Buffer): string | undefined {
  try {
    if (hello.readUInt8(0) !== CLIENT_HELLO) return undefined;
    let offset = 38;
    offset += 1 + hello.readUInt8(offset); // session
    offset += 2 + hello.readUInt16BE(offset); // cipher suites
    offset += 1 + hello.readUInt8(offset); // compression
    const end = offset + 2 + hello.readUInt16BE(offset);
    for (offset += 2; offset + 4 <= end;) {
      const length = hello.readUInt16BE(offset + 2);
      if (hello.readUInt16BE(offset) === SERVER_NAME) {
        return hello.toString("ascii", offset + 9, offset + 9 + hello.readUInt16BE(offset + 7));
      }
      offset += 4 + length;
    }
  } catch {
    // Cut off.
  }
  return undefined;
}
