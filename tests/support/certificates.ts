import "reflect-metadata";

import { webcrypto } from "node:crypto";

import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto as never);

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 24 * 60 * 60 * 1000;

/** A certificate with its key, made for one test run. */
export interface TestCertificate {
  readonly certPem: string;
  readonly keyPem: string;
  readonly notAfter: Date;
}

/** Makes a self-signed certificate; a CA unless told otherwise. */
export async function testCertificate(commonName: string, isCa = true): Promise<TestCertificate> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  // Certificates know whole seconds.
  const now = Math.floor(Date.now() / 1000) * 1000;
  const notAfter = new Date(now + DAY_MS);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${commonName}`,
    keys: keys as never,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(now),
    notAfter,
    extensions: [new x509.BasicConstraintsExtension(isCa, undefined, true)],
  });
  const key = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    certPem: certificate.toString("pem"),
    keyPem: x509.PemConverter.encode(key, "PRIVATE KEY"),
    notAfter,
  };
}
