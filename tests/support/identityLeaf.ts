import "reflect-metadata";

import { webcrypto, X509Certificate } from "node:crypto";

import { Client, credentials } from "@grpc/grpc-js";
import { CoreV1Api } from "@kubernetes/client-node";
import * as x509 from "@peculiar/x509";

import type { TestSandbox } from "./testSandbox";

x509.cryptoProvider.set(webcrypto as never);

/** Audience of the tokens with which proxies ask identity (linkerd2, controller/identity/validator.go). */
const AUDIENCE = "identity.l5d.io";

/** Method of the service (linkerd2-proxy-api, proto/identity.proto). */
const CERTIFY = "/io.linkerd.proxy.identity.Identity/Certify";

const KEY = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** A certificate that identity has issued, with what follows it in its chain. */
export type LeafChain = readonly [leaf: X509Certificate, ...issuers: X509Certificate[]];

/** What the proxy of a pod has. */
export interface ProxyIdentity {
  readonly identity: string;
  readonly chain: LeafChain;
  /** PKCS#8. */
  readonly keyPem: string;
}

/** Asks the real identity service for a certificate, as a proxy of a pod with the service account `default` does. */
export async function issueLeaf(sandbox: TestSandbox, namespace: string): Promise<LeafChain> {
  return (await issueIdentity(sandbox, namespace)).chain;
}

/** The same with its key. */
export async function issueIdentity(sandbox: TestSandbox, namespace: string): Promise<ProxyIdentity> {
  const identity = `default.${namespace}.serviceaccount.identity.linkerd.cluster.local`;
  const core = sandbox.client(CoreV1Api);
  const { status } = await core.createNamespacedServiceAccountToken({
    ...{ namespace, name: "default" },
    body: { spec: { audiences: [AUDIENCE], expirationSeconds: 600 } },
  });
  const keys = await webcrypto.subtle.generateKey(KEY, true, ["sign", "verify"]);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    keys,
    signingAlgorithm: KEY,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: "dns", value: identity }])],
  });
  const fields = [Buffer.from(identity), Buffer.from(status?.token ?? ""), Buffer.from(request.rawData)];
  const client = new Client(await identityAddress(sandbox), credentials.createInsecure());
  try {
    const chain = await new Promise<LeafChain>((resolve, reject) => {
      client.makeUnaryRequest(
        CERTIFY,
        encode,
        decode,
        fields,
        { deadline: Date.now() + 10_000 },
        (error, chain) => {
          if (error !== null) reject(error);
          else if (chain?.[0] === undefined) reject(new Error("identity gave no certificate"));
          else resolve([chain[0], ...chain.slice(1)]);
        },
      );
    });
    const keyDer = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
    return { identity, chain, keyPem: x509.PemConverter.encode(keyDer, "PRIVATE KEY") };
  } finally {
    client.close();
  }
}

/** Whether a chain verifies under a bundle now, as a proxy has it. */
export function verifies(chain: LeafChain, bundle: readonly X509Certificate[], now = new Date()): boolean {
  const isValid = ({ validFrom, validTo }: X509Certificate): boolean =>
    new Date(validFrom) <= now && now <= new Date(validTo);
  return (
    chain.every(isValid) &&
    chain.every((certificate, index) => {
      const signers = index + 1 < chain.length ? chain.slice(index + 1, index + 2) : bundle.filter(isValid);
      return signers.some(({ publicKey, ca }) => ca && certificate.verify(publicKey));
    })
  );
}

/** Where the process of a ready pod of identity listens: the pod's address in the sandbox's own network. */
async function identityAddress(sandbox: TestSandbox): Promise<string> {
  const { items } = await sandbox.client(CoreV1Api).listNamespacedPod({
    namespace: "linkerd",
    labelSelector: "linkerd.io/control-plane-component=identity",
  });
  const running = items.filter(({ metadata, status }) => {
    const ready = status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True");
    return metadata?.deletionTimestamp === undefined && ready === true;
  });
  return `${await sandbox.listenAddress(running[0])}:8080`;
}

/** The fields of a message, each with a length: 1, 2, 3, ... */
function encode(fields: readonly Buffer[]): Buffer {
  return Buffer.concat(
    fields.flatMap((field, index) => [Buffer.from([((index + 1) << 3) | 2]), varint(field.length), field]),
  );
}

/** The certificates in fields 1 and 2 of an answer. */
function decode(message: Buffer): X509Certificate[] {
  const certificates: X509Certificate[] = [];
  for (let at = 0; at < message.length;) {
    const field = (message[at++] ?? 0) >> 3;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++] ?? 0;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    const value = message.subarray(at, (at += length));
    if (field <= 2) certificates.push(new X509Certificate(value));
  }
  return certificates;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    bytes.push(rest < 0x80 ? rest : (rest & 0x7f) | 0x80);
    if (rest < 0x80) return Buffer.from(bytes);
  }
}
