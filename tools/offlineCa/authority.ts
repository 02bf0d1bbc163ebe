import "reflect-metadata"; // which the X.509 library wants to find

import { createPrivateKey, createPublicKey, type KeyObject, webcrypto } from "node:crypto";

import * as x509 from "@peculiar/x509";

import { checkIssuer, checkIssuerKey, checkTrustAnchor, describeFound } from "../../components/rules";
import { identityIssuerName } from "../../components/pki/identityIssuer";
import { UserError } from "../shared/errors";

/** A CA certificate with its key, both as PEM. */
export interface Authority {
  readonly certificate: string;
  /** PKCS#8. */
  readonly key: string;
}

/** The one kind of key that Linkerd takes for an issuer. */
const KEY = { name: "ECDSA", namedCurve: "P-256" };
const SIGNATURE = { name: "ECDSA", hash: "SHA-256" };

const HOUR_MS = 60 * 60 * 1000;

/** A certificate is valid a little before it is made, because the clocks of a cluster differ. */
const CLOCK_SKEW_MS = 60 * 1000;

x509.cryptoProvider.set(webcrypto as never);

/** What a certificate is to be. */
export interface AuthorityArgs {
  /** Trust domain of the mesh, which is in the names. */
  readonly trustDomain: string;
  /** Hours from now until it ends. */
  readonly validityHours: number;
}

/** Makes a trust anchor: a CA that signs itself and, below it, issuers. */
export async function makeAnchor({ trustDomain, validityHours }: AuthorityArgs): Promise<Authority> {
  const name = `CN=root.linkerd.${trustDomain}`;
  const keys = await webcrypto.subtle.generateKey(KEY, true, ["sign", "verify"]);
  const certificate = await sign(keys.publicKey, keys.privateKey, {
    subject: name,
    issuer: name,
    pathLength: 1,
    validityHours,
    extensions: [],
  });
  return { certificate, key: await pem(keys.privateKey) };
}

/**
 * Makes an issuer that the anchor signs.
 *
 * @throws UserError when it would not be accepted, for instance because the anchor ends before it.
 */
export async function makeIssuer(
  anchor: Authority,
  { trustDomain, validityHours }: AuthorityArgs,
): Promise<Authority> {
  const parsed = new x509.X509Certificate(anchor.certificate);
  const left = Math.floor((parsed.notAfter.getTime() - Date.now()) / HOUR_MS);
  if (validityHours > left) {
    throw new UserError(
      `the issuer would be valid for ${validityHours} hours, and its trust anchor ends in ${left}`,
      `--issuer-validity-hours ${left}`,
    );
  }
  const name = identityIssuerName(trustDomain);
  const keys = await webcrypto.subtle.generateKey(KEY, true, ["sign", "verify"]);
  const certificate = await sign(keys.publicKey, await signingKey(anchor.key), {
    subject: `CN=${name}`,
    // As the anchor has it, byte by byte: Go compares names so, and the same text has several encodings.
    issuer: parsed.subjectName,
    pathLength: 0,
    validityHours,
    extensions: [
      new x509.SubjectAlternativeNameExtension([{ type: "dns", value: name }]),
      await x509.AuthorityKeyIdentifierExtension.create(parsed.publicKey),
    ],
  });
  const issuer = { certificate, key: await pem(keys.privateKey) };
  requireAccepted(anchor.certificate, issuer, trustDomain);
  return issuer;
}

/** Whether a key is that of a certificate. */
export function isKeyOf(key: KeyObject, certificate: string): boolean {
  const own = createPublicKey(certificate).export({ type: "spki", format: "pem" });
  return createPublicKey(key).export({ type: "spki", format: "pem" }) === own;
}

/** The program's own rules, by which it refuses what is provided. */
function requireAccepted(anchorPem: string, issuer: Authority, trustDomain: string): void {
  const { anchor, problems } = checkTrustAnchor(anchorPem);
  const anchors = anchor && [anchor];
  const { issuer: parsed, problems: more } = checkIssuer(issuer.certificate, { anchors, trustDomain });
  const [problem] = [...problems, ...more, ...checkIssuerKey(issuer.key, parsed)];
  if (problem === undefined) return;
  throw new UserError(
    `what would be set is not accepted: it ${problem.rule}, but ${describeFound(problem.found)}`,
  );
}

interface Contents {
  readonly subject: string;
  readonly issuer: string | x509.Name;
  /** CAs that may stand below it. */
  readonly pathLength: number;
  readonly validityHours: number;
  readonly extensions: readonly x509.Extension[];
}

async function sign(
  publicKey: webcrypto.CryptoKey,
  signer: webcrypto.CryptoKey,
  { subject, issuer, pathLength, validityHours, extensions }: Contents,
): Promise<string> {
  const { keyCertSign, cRLSign } = x509.KeyUsageFlags;
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.create({
    subject,
    issuer,
    // The library's types build on those of the DOM.
    publicKey: publicKey as never,
    signingKey: signer,
    signingAlgorithm: SIGNATURE,
    notBefore: new Date(now - CLOCK_SKEW_MS),
    notAfter: new Date(now + validityHours * HOUR_MS),
    extensions: [
      new x509.BasicConstraintsExtension(true, pathLength, true),
      new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      ...extensions,
    ],
  });
  return `${certificate.toString("pem")}\n`;
}

async function pem(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;
}

function signingKey(key: string): Promise<webcrypto.CryptoKey> {
  const pkcs8 = createPrivateKey(key).export({ type: "pkcs8", format: "der" });
  return webcrypto.subtle.importKey("pkcs8", pkcs8, KEY, false, ["sign"]);
}
