import { Duplex, PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls, type DetailedPeerCertificate, type TLSSocket } from "node:tls";

import type { V1Pod } from "@kubernetes/client-node";

import { type ClusterAccess, kubeConfigOf } from "../../components/cluster/client";
import { adminPortOf, identityOf, isLive, proxyOf } from "../../components/cluster/meshedPods";
import { isObject } from "../../components/validation/problem";
import { messageOf, UserError } from "../shared/errors";

/** A pod, as people name it. */
export interface PodName {
  readonly namespace: string;
  readonly name: string;
}

/** What a pod showed of its identity. */
export interface PodLeaf extends PodName {
  /** The name for which its proxy asks identity. */
  readonly identity: string;
  /** The certificate of its proxy, then those that the proxy sent with it; PEM. */
  readonly certificates: string;
}

/**
 * Reads the certificate that a pod's proxy has, as `linkerd identity` does: by a TLS handshake with its admin port, through
 * the API server's port-forward. A proxy answers TLS for its own identity alone.
 *
 * @throws UserError where there is no such pod, it has no proxy, or it does not answer.
 */
export async function readLeaf(
  access: ClusterAccess,
  pods: readonly V1Pod[],
  { namespace, name }: PodName,
  timeoutMs: number,
): Promise<PodLeaf> {
  const pod = pods.find(({ metadata }) => metadata?.namespace === namespace && metadata.name === name);
  const proxy = pod && proxyOf(pod);
  const identity = pod && identityOf(pod);
  if (pod === undefined || proxy === undefined || identity === undefined || !isLive(pod)) {
    const problem = pod === undefined ? "there is no pod" : "there is no running proxy in pod";
    throw new UserError(
      `${problem} ${namespace}/${name}`,
      "kubectl get pods -A -l linkerd.io/control-plane-ns",
    );
  }
  const port = adminPortOf(proxy);
  try {
    const certificates = await handshake(access, { namespace, name }, port, identity, timeoutMs);
    return { namespace, name, identity, certificates };
  } catch (error) {
    throw new UserError(
      `port ${port} of pod ${namespace}/${name} shows no certificate for ${identity}: ${messageOf(error)}`,
      `grant the Role for chains in docs/verify.md, then look at: kubectl -n ${namespace} logs ${name} -c linkerd-proxy`,
      { cause: error },
    );
  }
}

/** A connection through the API server, as far as it matters here: its own type cannot be resolved. */
interface Forwarded {
  onclose: () => void;
  close(): void;
}

/** The library rejects with an event, which is no error but has the message of one, e.g. `403`. */
function rejectedUpgrade(event: unknown): never {
  throw isObject(event) && typeof event.message === "string" ? new Error(event.message) : event;
}

/** The certificates that a port of a pod shows to a client that asks for this name. */
async function handshake(
  access: ClusterAccess,
  { namespace, name }: PodName,
  port: number,
  servername: string,
  timeoutMs: number,
): Promise<string> {
  const { PortForward } = await import("@kubernetes/client-node");
  const [received, sent, refusal] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const refused = new Promise<never>((_, reject) => {
    refusal.once("data", (text: Buffer) => {
      reject(new Error(text.toString()));
    });
  });
  const overdue = sleep(timeoutMs, undefined, { ref: false }).then(() => {
    throw new Error(`no answer within ${timeoutMs / 1000} s`);
  });
  const forward = new PortForward(await kubeConfigOf(access));
  // Without retries it is the connection itself.
  const forwarding = forward.portForward(
    namespace,
    name,
    [port],
    received,
    refusal,
    sent,
  ) as Promise<Forwarded>;
  let tls: TLSSocket | undefined;
  try {
    const forwarded = await Promise.race([forwarding.catch(rejectedUpgrade), overdue]);
    const ended = new Promise<never>((_, reject) => {
      forwarded.onclose = () => {
        reject(new Error("the connection was closed"));
      };
    });
    // Whether it is trusted is for the reader to see.
    tls = connectTls({
      socket: Duplex.from({ readable: received, writable: sent }),
      servername,
      rejectUnauthorized: false,
    });
    const socket = tls;
    const secured = new Promise<string>((resolve, reject) => {
      socket.once("error", reject);
      socket.once("secureConnect", () => {
        resolve(pems(socket.getPeerCertificate(true)));
      });
    });
    return await Promise.race([secured, refused, ended, overdue]);
  } finally {
    tls?.destroy();
    forwarding
      .then((forwarded) => {
        forwarded.close();
      })
      .catch(() => undefined);
  }
}

/** A certificate and those that were sent with it, each above the one before it. */
function pems(certificate: DetailedPeerCertificate): string {
  const { raw, issuerCertificate } = certificate;
  const body = raw.toString("base64").replaceAll(/.{64}/g, "$&\n").trimEnd();
  const pem = `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
  // The last one is its own issuer, or has none that was sent.
  const above = issuerCertificate as DetailedPeerCertificate | undefined;
  return above === undefined || above.raw.equals(raw) ? pem : pem + pems(above);
}
