import "reflect-metadata";

import { webcrypto } from "node:crypto";

import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto as never);

const DAY_MS = 24 * 60 * 60 * 1000;

/** Kinds of key, by name. */
export const KEYS = {
  "P-256": { name: "ECDSA", namedCurve: "P-256" },
  "P-384": { name: "ECDSA", namedCurve: "P-384" },
  "RSA 2048": rsa(2048),
  "RSA 3072": rsa(3072),
  "RSA 4096": rsa(4096),
  Ed25519: { name: "Ed25519" },
};

function rsa(modulusLength: number): object {
  const publicExponent = new Uint8Array([1, 0, 1]);
  return { name: "RSASSA-PKCS1-v1_5", modulusLength, publicExponent, hash: "SHA-256" };
}

/** A certificate with its key, made for one test run. */
export interface TestCertificate {
  readonly certPem: string;
  /** PKCS#8. */
  readonly keyPem: string;
  readonly notAfter: Date;
  readonly commonName: string;
  readonly keys: webcrypto.CryptoKeyPair;
}

/** What a certificate is to be; by default a valid CA for 1000 days that may sign. */
export interface TestCertificateArgs {
  readonly key?: keyof typeof KEYS;
  /** Who signs it; default: itself. */
  readonly signer?: TestCertificate;
  readonly hash?: string;
  readonly isCa?: boolean;
  readonly pathLength?: number;
  readonly keyUsages?: x509.KeyUsageFlags;
  readonly purposes?: readonly string[];
  readonly dnsNames?: readonly string[];
  /** Days from now at which its validity begins and ends. */
  readonly days?: readonly [from: number, to: number];
}

/** Makes a certificate; a self-signed CA unless told otherwise. */
export async function testCertificate(
  commonName: string,
  args: TestCertificateArgs = {},
): Promise<TestCertificate> {
  const { key = "P-256", signer, hash = "SHA-256", isCa = true, days = [0, 1000] } = args;
  const keys = await webcrypto.subtle.generateKey(KEYS[key] as webcrypto.EcKeyGenParams, true, [
    "sign",
    "verify",
  ]);
  // Certificates know whole seconds.
  const now = Math.floor(Date.now() / 1000) * 1000;
  const notAfter = new Date(now + days[1] * DAY_MS);
  const signingKey = (signer?.keys ?? keys).privateKey;
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${commonName}`,
    issuer: `CN=${signer?.commonName ?? commonName}`,
    publicKey: keys.publicKey as never,
    signingKey,
    signingAlgorithm: { ...signingKey.algorithm, hash },
    notBefore: new Date(now + days[0] * DAY_MS),
    notAfter,
    extensions: [
      new x509.BasicConstraintsExtension(isCa, args.pathLength, true),
      new x509.KeyUsagesExtension(args.keyUsages ?? x509.KeyUsageFlags.keyCertSign, true),
      ...(args.purposes ? [new x509.ExtendedKeyUsageExtension([...args.purposes])] : []),
      ...(args.dnsNames
        ? [
            new x509.SubjectAlternativeNameExtension(
              args.dnsNames.map((value) => ({ type: "dns" as const, value })),
            ),
          ]
        : []),
    ],
  });
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    certPem: certificate.toString("pem"),
    keyPem: x509.PemConverter.encode(pkcs8, "PRIVATE KEY"),
    notAfter,
    commonName,
    keys,
  };
}

/** A trust anchor. */
export function testAnchor(args: TestCertificateArgs = {}): Promise<TestCertificate> {
  return testCertificate("root.linkerd.cluster.local", args);
}

/** An issuer of the trust domain cluster.local that an anchor has signed. */
export function testIssuer(
  signer: TestCertificate,
  args: TestCertificateArgs = {},
): Promise<TestCertificate> {
  const name = "identity.linkerd.cluster.local";
  return testCertificate(name, { signer, dnsNames: [name], ...args });
}
