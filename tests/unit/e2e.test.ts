import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";

import { readCapture } from "../../tools/e2e/pcap";
import { prove } from "../../tools/e2e/proof";
import { testCertificate } from "../support/certificates";
import { pcapOf, type Write } from "../support/pcap";

const MARKER = "marker-0123456789abcdef";
const IDENTITY = "default.hello-world.serviceaccount.identity.linkerd.";
const NAME = `${IDENTITY}cluster.local`;
const REQUEST = `GET / HTTP/1.1\r\nhost: world\r\nx-marker: ${MARKER}\r\n\r\n`;

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Sends the request over a real connection on loopback, through a relay that keeps what each side writes. */
async function record(server: Server, client: (port: number) => Socket): Promise<Write[]> {
  const writes: Write[] = [];
  const port = await listen(server);
  const relay = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    near.on("data", (bytes: Buffer) => void (writes.push({ fromClient: true, bytes }), far.write(bytes)));
    far.on("data", (bytes: Buffer) => void (writes.push({ fromClient: false, bytes }), near.write(bytes)));
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
  });
  const socket = client(await listen(relay));
  socket.write(REQUEST);
  await once(socket, "data");
  socket.destroy();
  server.close();
  relay.close();
  return writes;
}

function answer(socket: Socket): void {
  socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\n\r\nWorld"));
  socket.on("error", () => undefined);
}

describe("the proof of mutual TLS", () => {
  let encrypted: Write[] = [];
  let plain: Write[] = [];

  before(async () => {
    const { certPem: cert, keyPem: key } = await testCertificate(NAME);
    encrypted = await record(createTlsServer({ cert, key }, answer), (port) =>
      connectTls({ host: "127.0.0.1", port, servername: NAME, rejectUnauthorized: false }),
    );
    plain = await record(createServer(answer), (port) => connect(port, "127.0.0.1"));
  });

  const proof = (network: Buffer, loopback = pcapOf(plain)) => prove({ network, loopback }, MARKER, IDENTITY);

  it("finds the server's identity and only encrypted data", () => {
    const { identity, connections, encryptedRecords } = proof(pcapOf(encrypted));
    assert.deepEqual([identity, connections], [NAME, 1]);
    assert(encryptedRecords >= 2, String(encryptedRecords));
  });

  it("refuses the same request in the clear", () => {
    assert.throws(() => proof(pcapOf(plain)), {
      message: "the request is readable from 10.244.0.5:40000 to 10.244.0.6:7778",
    });
  });

  it("refuses anything else than TLS, also after TLS", () => {
    const other = { fromClient: true, bytes: Buffer.from("SSH-2.0-OpenSSH_9.6\r\n") };
    const message = "from 10.244.0.5:40000 to 10.244.0.6:7778 goes something else than TLS";
    assert.throws(() => proof(pcapOf([other])), { message });
    assert.throws(() => proof(pcapOf([...encrypted, other])), { message });
  });

  it("refuses an empty capture, and one that would not have seen the request either", () => {
    assert.throws(() => proof(pcapOf([])), { message: "the capture of the network has no encrypted data" });
    assert.throws(() => proof(pcapOf(encrypted), pcapOf(encrypted)), /the capture proves nothing$/);
  });

  it("refuses TLS to another identity", () => {
    const identity = "default.shop.serviceaccount.identity.linkerd.";
    assert.throws(() => prove({ network: pcapOf(encrypted), loopback: pcapOf(plain) }, MARKER, identity), {
      message: `no client asked for ${identity}..., but for ${NAME}`,
    });
  });

  it("puts a connection together from pieces, with what was sent twice, where numbers start over", () => {
    const pieces = Array.from(Buffer.from(REQUEST), (byte) => ({ fromClient: true, bytes: Buffer.of(byte) }));
    const streams = readCapture(pcapOf(pieces, [3, 20]));
    assert.deepEqual(
      streams.map(({ from, to, bytes }) => [from, to, bytes.toString()]),
      [["10.244.0.5:40000", "10.244.0.6:7778", REQUEST]],
    );
  });

  it("refuses what is no capture, or not of Ethernet", () => {
    assert.throws(() => readCapture(Buffer.alloc(0)), /not a pcap file/);
    const cooked = pcapOf([]);
    cooked.writeUInt32LE(276, 20);
    assert.throws(() => readCapture(cooked), /must be Ethernet \(1\), but is 276/);
  });
});
