import { readCapture } from "./pcap";
import { look } from "./tls";

/** Two captures of the same request, made in the pod that answers it. */
export interface Captures {
  /** Of `eth0`: what goes over the network. */
  readonly network: Buffer;
  /** Of `lo`: between proxy and application, where it must be readable, or the capture proves nothing. */
  readonly loopback: Buffer;
}

/** What was proved. */
export interface Proof {
  /** Name that the client asks for: Linkerd's identity of the server. */
  readonly identity: string;
  readonly connections: number;
  readonly encryptedRecords: number;
}

/**
 * Proves that a request which is readable within the pod crosses the network as TLS, and nothing beside it in the clear.
 *
 * @param marker A text that the request carries.
 * @param identity How the server's identity must begin, e.g. `world.shop.serviceaccount.identity.linkerd.`.
 * @throws Error that says what was seen instead.
 */
export function prove({ network, loopback }: Captures, marker: string, identity: string): Proof {
  if (!readCapture(loopback).some(({ bytes }) => bytes.includes(marker))) {
    throw new Error(
      `the request (${marker}) was not seen between proxy and application: the capture proves nothing`,
    );
  }
  const streams = readCapture(network).map((stream) => ({ ...stream, ...look(stream) }));
  const leaking = streams.find(({ bytes }) => bytes.includes(marker));
  if (leaking !== undefined) throw new Error(`the request is readable from ${leaking.from} to ${leaking.to}`);
  const plain = streams.find(({ isTls }) => !isTls);
  if (plain !== undefined) throw new Error(`from ${plain.from} to ${plain.to} goes something else than TLS`);
  const encryptedRecords = streams.reduce((sum, stream) => sum + stream.encryptedRecords, 0);
  if (encryptedRecords === 0) throw new Error("the capture of the network has no encrypted data");
  const names = streams.flatMap(({ serverName }) => serverName ?? []);
  const name = names.find((candidate) => candidate.startsWith(identity));
  if (name === undefined) {
    throw new Error(`no client asked for ${identity}..., but for ${names.join(", ") || "no name"}`);
  }
  return { identity: name, connections: names.length, encryptedRecords };
}
