import { KeyObject, X509Certificate } from "node:crypto";

import type * as X509 from "@peculiar/x509";

/** Loaded when there is a certificate to read: it takes a quarter of a second. */
function library(): typeof X509 {
  /* eslint-disable @typescript-eslint/no-require-imports -- the configuration is read synchronously */
  require("reflect-metadata"); // which the library wants to find
  return require("@peculiar/x509") as typeof X509;
  /* eslint-enable @typescript-eslint/no-require-imports */
}

/** A certificate that could be read. */
export class CaCertificate {
  /** For signatures and keys. */
  public readonly certificate: X509Certificate;
  public readonly publicKey: KeyObject;
  /** For extensions and algorithms. */
  private readonly parsed: X509.X509Certificate;
  private readonly x509 = library();

  /** @throws when it cannot be parsed. */
  public constructor(pem: string) {
    this.certificate = new X509Certificate(pem);
    this.publicKey = this.certificate.publicKey;
    this.parsed = new this.x509.X509Certificate(this.certificate.raw);
  }

  /** The subject in one line. */
  public get subject(): string {
    return this.parsed.subject;
  }

  /** The signer's name in one line. */
  public get issuer(): string {
    return this.parsed.issuer;
  }

  public get notBefore(): Date {
    return this.parsed.notBefore;
  }

  public get notAfter(): Date {
    return this.parsed.notAfter;
  }

  /** Whether it is a CA by its basic constraints; Node's own answer is of the key usage too. */
  public get isCa(): boolean {
    return this.parsed.getExtension(this.x509.BasicConstraintsExtension)?.ca === true;
  }

  /** How many CA certificates may stand between it and the certificate of a proxy. */
  public get pathLength(): number {
    return this.parsed.getExtension(this.x509.BasicConstraintsExtension)?.pathLength ?? Infinity;
  }

  /** Whether its key may sign certificates; without the extension it may. */
  public get maySign(): boolean {
    const usages = this.parsed.getExtension(this.x509.KeyUsagesExtension)?.usages;
    return usages === undefined || (usages & this.x509.KeyUsageFlags.keyCertSign) !== 0;
  }

  /** The purposes of the certificates below it; undefined for all. */
  public get purposes(): readonly string[] | undefined {
    return this.parsed.getExtension(this.x509.ExtendedKeyUsageExtension)?.usages.map(String);
  }

  /** DNS names among the subject alternative names; where there is none, the common name, as step's issuers have it. */
  public get names(): readonly string[] {
    const alternatives = this.parsed.getExtension(this.x509.SubjectAlternativeNameExtension)?.names.items;
    const dnsNames = (alternatives ?? []).filter(({ type }) => type === "dns").map(({ value }) => value);
    return dnsNames.length === 0 ? this.parsed.subjectName.getField("CN") : dnsNames;
  }

  /** Its kind of key, e.g. `ECDSA P-256` or `RSA 2048`. */
  public get keyKind(): string {
    const { asymmetricKeyType: type = "an unknown kind", asymmetricKeyDetails: details = {} } =
      this.publicKey;
    switch (type) {
      case "ec":
        return `ECDSA ${CURVES[details.namedCurve ?? ""] ?? details.namedCurve ?? "with its own curve"}`;
      case "rsa":
        return `RSA ${details.modulusLength ?? 0}`;
      default:
        return type;
    }
  }

  /** How it is signed, e.g. `ECDSA with SHA-256`. */
  public get signatureKind(): string {
    // The library's type builds on one of the DOM, which is not among ours.
    const { name, hash } = this.parsed.signatureAlgorithm as unknown as {
      name: string;
      hash?: { name: string };
    };
    const kind = name === "RSASSA-PKCS1-v1_5" ? "RSA" : name;
    return hash === undefined ? kind : `${kind} with ${hash.name}`;
  }

  /** Whether the other one signed it: by its key and, byte by byte as Go compares it, by its name. */
  public isSignedBy(other: CaCertificate): boolean {
    const [issuer, subject] = [this.parsed.issuerName, other.parsed.subjectName].map((name) =>
      Buffer.from(name.toArrayBuffer()),
    );
    return issuer?.equals(subject ?? Buffer.of()) === true && this.certificate.verify(other.publicKey);
  }
}

/** Names of curves as Linkerd calls them. */
const CURVES: Readonly<Record<string, string>> = {
  prime256v1: "P-256",
  secp384r1: "P-384",
  secp521r1: "P-521",
};

const BLOCK = /-----BEGIN ([^-\n]+)-----[^-]*-----END \1-----/g;

/** A block of a PEM text. */
export interface PemBlock {
  /** E.g. `CERTIFICATE`. */
  readonly label: string;
  readonly text: string;
}

/** The blocks of a PEM text, or what is wrong with it. Nothing of the text is in the answer: it may be a key. */
export function pemBlocks(text: string): readonly PemBlock[] | string {
  const blocks = [...text.matchAll(BLOCK)].map(([block, label = ""]) => ({ label, text: block }));
  const last = blocks.at(-1);
  if (last === undefined) {
    return text.includes("-----BEGIN ") ? "its PEM block is damaged" : "it has no PEM block";
  }
  // Go's decoder, which reads it in Linkerd, takes text before a block, and none after the last.
  const end = text.lastIndexOf(last.text) + last.text.length;
  return text.slice(end).trim() === "" ? blocks : "it has text after its last PEM block";
}

/** The certificates of a PEM text, or what is wrong with it. */
export function parseCertificates(text: string): readonly CaCertificate[] | string {
  const blocks = pemBlocks(text);
  if (typeof blocks === "string") {
    return blocks;
  }
  const other = blocks.find(({ label }) => label !== "CERTIFICATE");
  if (other !== undefined) {
    return `it has a PEM block ${other.label}`;
  }
  try {
    return blocks.map((block) => new CaCertificate(block.text));
  } catch {
    return "it cannot be parsed";
  }
}
