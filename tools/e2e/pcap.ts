/** What one side of a TCP connection sent, put together in order. */
export interface Stream {
  /** ADDRESS:PORT. */
  readonly from: string;
  readonly to: string;
  readonly bytes: Buffer;
}

/** A piece of a stream. */
interface Segment {
  readonly from: string;
  readonly to: string;
  readonly sequence: number;
  readonly payload: Buffer;
}

/** How a capture begins: microseconds or nanoseconds, in the byte order of the machine that made it. */
const LITTLE_ENDIAN = [0xa1b2c3d4, 0xa1b23c4d];

const ETHERNET = 1;
const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const TCP = 6;

/**
 * Reads a capture as tcpdump writes it (https://www.tcpdump.org/manpages/pcap-savefile.5.html), of Ethernet frames and
 * the loopback interface's, which look the same.
 *
 * @throws Error when it is another format.
 */
export function readCapture(capture: Buffer): Stream[] {
  if (capture.length < 24 || !LITTLE_ENDIAN.includes(capture.readUInt32LE(0))) {
    throw new Error("the capture is not a pcap file in little-endian order");
  }
  const link = capture.readUInt32LE(20) & 0xffff;
  if (link !== ETHERNET) throw new Error(`the capture's link type must be Ethernet (1), but is ${link}`);
  const segments: Segment[] = [];
  for (let offset = 24; offset + 16 <= capture.length;) {
    const length = capture.readUInt32LE(offset + 8);
    const segment = readFrame(capture.subarray(offset + 16, offset + 16 + length));
    if (segment !== undefined && segment.payload.length > 0) segments.push(segment);
    offset += 16 + length;
  }
  return assemble(segments);
}

function readFrame(frame: Buffer): Segment | undefined {
  if (frame.length < 14) return undefined;
  const protocol = frame.readUInt16BE(12);
  const packet = frame.subarray(14);
  if (protocol === IPV4 && packet.length >= 20 && packet.readUInt8(9) === TCP) {
    const header = (packet.readUInt8(0) & 0xf) * 4;
    // A short frame is padded; the packet says where it ends.
    const end = packet.readUInt16BE(2) || packet.length;
    return readTcp(
      [...packet.subarray(12, 16)].join("."),
      [...packet.subarray(16, 20)].join("."),
      packet.subarray(header, end),
    );
  }
  if (protocol === IPV6 && packet.length >= 40 && packet.readUInt8(6) === TCP) {
    const address = (start: number): string => packet.subarray(start, start + 16).toString("hex");
    return readTcp(address(8), address(24), packet.subarray(40, 40 + packet.readUInt16BE(4)));
  }
  return undefined;
}

function readTcp(source: string, destination: string, segment: Buffer): Segment | undefined {
  if (segment.length < 20) return undefined;
  return {
    from: `${source}:${segment.readUInt16BE(0)}`,
    to: `${destination}:${segment.readUInt16BE(2)}`,
    sequence: segment.readUInt32BE(4),
    payload: segment.subarray((segment.readUInt8(12) >> 4) * 4),
  };
}

/** Puts segments in order; what was sent again counts once. */
function assemble(segments: readonly Segment[]): Stream[] {
  const streams = new Map<string, Segment[]>();
  for (const segment of segments) {
    const key = `${segment.from} ${segment.to}`;
    streams.set(key, [...(streams.get(key) ?? []), segment]);
  }
  return [...streams.values()].flatMap((parts) => {
    const [first] = parts;
    if (first === undefined) return [];
    // Sequence numbers start over after 2^32.
    const position = ({ sequence }: Segment): number => (sequence - first.sequence) | 0;
    const pieces: Buffer[] = [];
    const ordered = [...parts].sort((a, b) => position(a) - position(b));
    let end = Math.min(...ordered.map(position));
    for (const part of ordered) {
      const known = Math.max(0, end - position(part));
      if (known >= part.payload.length) continue;
      pieces.push(part.payload.subarray(known));
      end = position(part) + part.payload.length;
    }
    return [{ from: first.from, to: first.to, bytes: Buffer.concat(pieces) }];
  });
}
