import "reflect-metadata";

import { webcrypto } from "node:crypto";

import { AsnConvert } from "@peculiar/asn1-schema";
import * as asn1 from "@peculiar/asn1-x509";
import * as x509 from "@peculiar/x509";

import { KEYS } from "./certificates";

x509.cryptoProvider.set(webcrypto as never);

const HOUR_MS = 60 * 60 * 1000;

/** A certificate of a chain, with its key. */
export interface ChainCertificate {
  readonly certificate: x509.X509Certificate;
  readonly pem: string;
  readonly keys: webcrypto.CryptoKeyPair;
  /** PKCS#8. */
  readonly key: string;
}

/** What a certificate is to be; by default a valid CA that may sign, and signs itself. */
export interface ChainCertificateArgs {
  /** Default: CN, as the library encodes it. */
  readonly subject?: string | x509.JsonName;
  readonly signer?: ChainCertificate;
  /** What it names as its signer. Default: the signer's own name, byte by byte. */
  readonly issuer?: string | x509.JsonName;
  readonly kind?: keyof typeof KEYS;
  /** Keys of another certificate. Default: its own, of that kind. */
  readonly keys?: webcrypto.CryptoKeyPair;
  readonly hash?: string;
  /** Default true; undefined for no basic constraints. */
  readonly ca?: boolean | undefined;
  readonly pathLength?: number;
  /** Default: may sign certificates and lists; undefined for no key usage. */
  readonly usages?: x509.KeyUsageFlags | undefined;
  readonly purposes?: readonly string[];
  readonly names?: readonly string[];
  readonly extensions?: readonly x509.Extension[];
  /** Hours from now at which its validity begins and ends. */
  readonly hours?: readonly [from: number, to: number];
  /** In hex. */
  readonly serialNumber?: string;
}

/** Makes a certificate. */
export async function chainCertificate(
  commonName: string,
  args: ChainCertificateArgs = {},
): Promise<ChainCertificate> {
  const { subject = `CN=${commonName}`, signer, kind = "P-256", hash = "SHA-256", hours = [-1, 9000] } = args;
  const generated = (): Promise<webcrypto.CryptoKeyPair> =>
    webcrypto.subtle.generateKey(KEYS[kind] as webcrypto.EcKeyGenParams, true, ["sign", "verify"]);
  const keys = args.keys ?? (await generated());
  const signingKey = (signer?.keys ?? keys).privateKey;
  const { keyCertSign, cRLSign } = x509.KeyUsageFlags;
  // What is given as undefined is left out.
  const ca = "ca" in args ? args.ca : true;
  const usages = "usages" in args ? args.usages : ((keyCertSign | cRLSign) as x509.KeyUsageFlags);
  const certificate = await x509.X509CertificateGenerator.create({
    subject,
    issuer: args.issuer ?? signer?.certificate.subjectName ?? subject,
    // The library's types build on those of the DOM.
    publicKey: keys.publicKey as never,
    signingKey,
    signingAlgorithm: { ...signingKey.algorithm, hash },
    notBefore: new Date(Date.now() + hours[0] * HOUR_MS),
    notAfter: new Date(Date.now() + hours[1] * HOUR_MS),
    ...(args.serialNumber !== undefined && { serialNumber: args.serialNumber }),
    extensions: [
      ...(ca === undefined ? [] : [new x509.BasicConstraintsExtension(ca, args.pathLength, true)]),
      ...(usages === undefined ? [] : [new x509.KeyUsagesExtension(usages, true)]),
      ...(args.purposes ? [new x509.ExtendedKeyUsageExtension([...args.purposes])] : []),
      ...(args.names ? [alternativeNames(args.names)] : []),
      ...(args.extensions ?? []),
    ],
  });
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { certificate, pem: pemOf(certificate), keys, key: x509.PemConverter.encode(pkcs8, "PRIVATE KEY") };
}

function alternativeNames(names: readonly string[]): x509.Extension {
  return new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns" as const, value })));
}

function pemOf(certificate: x509.X509Certificate): string {
  return `${certificate.toString("pem")}\n`;
}

/** The same certificate after a change of its contents, which its signature does not know. */
export function changed(
  made: ChainCertificate,
  change: (contents: asn1.Certificate) => void,
): ChainCertificate {
  const contents = AsnConvert.parse(made.certificate.rawData, asn1.Certificate);
  contents.tbsCertificateRaw = undefined;
  change(contents);
  const certificate = new x509.X509Certificate(AsnConvert.serialize(contents));
  return { ...made, certificate, pem: pemOf(certificate) };
}

/** Name constraints of DNS names. */
export function dnsConstraints(
  { permitted = [], excluded = [] }: { readonly permitted?: string[]; readonly excluded?: string[] },
  critical = true,
): x509.Extension {
  const named = (names: string[]): asn1.GeneralName[] =>
    names.map((dNSName) => new asn1.GeneralName({ dNSName }));
  return nameConstraints(named(permitted), named(excluded), critical);
}

/** Name constraints of any names. */
export function nameConstraints(
  permitted: readonly asn1.GeneralName[],
  excluded: readonly asn1.GeneralName[],
  critical = true,
): x509.Extension {
  const subtrees = (bases: readonly asn1.GeneralName[]): asn1.GeneralSubtrees | undefined =>
    bases.length === 0
      ? undefined
      : new asn1.GeneralSubtrees(bases.map((base) => new asn1.GeneralSubtree({ base })));
  const contents = new asn1.NameConstraints({
    permittedSubtrees: subtrees(permitted),
    excludedSubtrees: subtrees(excluded),
  });
  return new x509.Extension(asn1.id_ce_nameConstraints, critical, AsnConvert.serialize(contents));
}
