/** One write of one side of a connection. */
export interface Write {
  readonly fromClient: boolean;
  readonly bytes: Buffer;
}

const CLIENT = { address: [10, 244, 0, 5], port: 40000 };
const SERVER = { address: [10, 244, 0, 6], port: 7778 };

/** Bytes that went over a connection as a capture of Ethernet frames, each write a packet; some sent twice. */
export function pcapOf(writes: readonly Write[], resent: readonly number[] = []): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(262144, 16);
  header.writeUInt32LE(1, 20);
  // They start close to where sequence numbers start over.
  const next = { client: 0xfffffff0, server: 1000 };
  const packets = writes.flatMap(({ fromClient, bytes }, index) => {
    const side = fromClient ? "client" : "server";
    const packet = frame(fromClient ? CLIENT : SERVER, fromClient ? SERVER : CLIENT, next[side], bytes);
    next[side] = (next[side] + bytes.length) >>> 0;
    return resent.includes(index) ? [packet, packet] : [packet];
  });
  return Buffer.concat([header, ...packets]);
}

function frame(from: typeof CLIENT, to: typeof CLIENT, sequence: number, payload: Buffer): Buffer {
  const tcp = Buffer.alloc(20);
  tcp.writeUInt16BE(from.port, 0);
  tcp.writeUInt16BE(to.port, 2);
  tcp.writeUInt32BE(sequence, 4);
  tcp.writeUInt8(5 << 4, 12);
  const ip = Buffer.alloc(20);
  ip.writeUInt8(0x45, 0);
  ip.writeUInt16BE(40 + payload.length, 2);
  ip.writeUInt8(6, 9);
  ip.set(from.address, 12);
  ip.set(to.address, 16);
  const ethernet = Buffer.alloc(14);
  ethernet.writeUInt16BE(0x0800, 12);
  const packet = Buffer.concat([ethernet, ip, tcp, payload]);
  const record = Buffer.alloc(16);
  record.writeUInt32LE(packet.length, 8);
  record.writeUInt32LE(packet.length, 12);
  return Buffer.concat([record, packet]);
}
