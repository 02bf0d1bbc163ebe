import { KeyObject, X509Certificate } from "node:crypto";

import type * as Asn1Schema from "@peculiar/asn1-schema";
import type * as Asn1X509 from "@peculiar/asn1-x509";
import type * as X509 from "@peculiar/x509";

import { NameConstraints } from "./nameConstraints";
import { readPem } from "./pemBlocks";

interface Libraries {
  readonly asn1: typeof Asn1Schema;
  readonly asn1x509: typeof Asn1X509;
  readonly x509: typeof X509;
}

/** Loaded when there is a certificate to read: it takes a quarter of a second. */
function libraries(): Libraries {
  /* eslint-disable @typescript-eslint/no-require-imports -- the configuration is read synchronously */
  require("reflect-metadata"); // which the libraries want to find
  return {
    asn1: require("@peculiar/asn1-schema") as typeof Asn1Schema,
    asn1x509: require("@peculiar/asn1-x509") as typeof Asn1X509,
    x509: require("@peculiar/x509") as typeof X509,
  };
  /* eslint-enable @typescript-eslint/no-require-imports */
}

/** The characters that Go's parser takes in a PrintableString. */
const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?*&]*$/;

/** A certificate that could be read. */
export class CaCertificate {
  /** For signatures and keys. */
  public readonly certificate: X509Certificate;
  public readonly publicKey: KeyObject;
  /** For extensions and algorithms. */
  private readonly parsed: X509.X509Certificate;
  private readonly asn1: Asn1X509.Certificate;
  private readonly libraries = libraries();

  /**
   * @param contents Its PEM or DER.
   * @throws when it cannot be parsed.
   */
  public constructor(contents: string | Buffer) {
    this.certificate = new X509Certificate(contents);
    const { raw, publicKey } = this.certificate;
    if (typeof contents !== "string" && raw.length !== contents.length) {
      throw new Error("there is something after the certificate");
    }
    this.publicKey = publicKey;
    this.parsed = new this.libraries.x509.X509Certificate(raw);
    this.asn1 = this.libraries.asn1.AsnConvert.parse(raw, this.libraries.asn1x509.Certificate);
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
    return this.parsed.getExtension(this.libraries.x509.BasicConstraintsExtension)?.ca === true;
  }

  /** How many CA certificates may stand between it and the certificate of a proxy. */
  public get pathLength(): number {
    return this.parsed.getExtension(this.libraries.x509.BasicConstraintsExtension)?.pathLength ?? Infinity;
  }

  /** Whether its key may sign certificates; without the extension it may. */
  public get maySign(): boolean {
    const usages = this.parsed.getExtension(this.libraries.x509.KeyUsagesExtension)?.usages;
    return usages === undefined || (usages & this.libraries.x509.KeyUsageFlags.keyCertSign) !== 0;
  }

  /** The purposes of the certificates below it; undefined for all. */
  public get purposes(): readonly string[] | undefined {
    return this.parsed.getExtension(this.libraries.x509.ExtendedKeyUsageExtension)?.usages.map(String);
  }

  /** Identifier of its key, lower-case hex; undefined where it does not say. */
  public get keyId(): string | undefined {
    return this.parsed.getExtension(this.libraries.x509.SubjectKeyIdentifierExtension)?.keyId;
  }

  /** Identifier of the key that signed it, the same way. */
  public get signerKeyId(): string | undefined {
    return this.parsed.getExtension(this.libraries.x509.AuthorityKeyIdentifierExtension)?.keyId;
  }

  /** DNS names among the subject alternative names. */
  public get dnsNames(): readonly string[] {
    const { SubjectAlternativeNameExtension } = this.libraries.x509;
    const alternatives = this.parsed.getExtension(SubjectAlternativeNameExtension)?.names.items;
    return (alternatives ?? []).filter(({ type }) => type === "dns").map(({ value }) => value);
  }

  /** Its DNS names; where there is none, the common name, as step's issuers have it. */
  public get names(): readonly string[] {
    return this.dnsNames.length === 0 ? this.parsed.subjectName.getField("CN") : this.dnsNames;
  }

  /** Which names may stand below it; undefined for all. */
  public get nameConstraints(): NameConstraints | undefined {
    const { NameConstraints: Schema, id_ce_nameConstraints } = this.libraries.asn1x509;
    const extension = this.parsed.getExtension(id_ce_nameConstraints);
    return extension
      ? new NameConstraints(this.libraries.asn1.AsnConvert.parse(extension.value, Schema))
      : undefined;
  }

  /** Object identifiers of its critical extensions. */
  public get criticalExtensions(): readonly string[] {
    return this.parsed.extensions.filter(({ critical }) => critical).map(({ type }) => type);
  }

  /** Why Go's parser refuses it, which is stricter than others. */
  public get flaw(): string | undefined {
    const types = this.parsed.extensions.map(({ type }) => type);
    if (new Set(types).size < types.length) {
      return "has an extension twice";
    }
    if (this.certificate.serialNumber.startsWith("-")) {
      return "has a negative serial number";
    }
    const { signature, subject, issuer } = this.asn1.tbsCertificate;
    if (!signature.isEqual(this.asn1.signatureAlgorithm)) {
      return "names two signature algorithms";
    }
    const values = [...subject, ...issuer].flat().map(({ value }) => value);
    return values.every(
      ({ printableString = "", universalString }) =>
        PRINTABLE.test(printableString) && universalString === undefined,
    )
      ? undefined
      : "has a name in an encoding that does not allow its characters";
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

  /** Whether the other one is the same certificate. */
  public equals({ certificate }: CaCertificate): boolean {
    return this.certificate.raw.equals(certificate.raw);
  }
}

/** Names of curves as Linkerd calls them. */
const CURVES: Readonly<Record<string, string>> = {
  prime256v1: "P-256",
  secp384r1: "P-384",
  secp521r1: "P-521",
};

/** The certificates of a PEM text, or what is wrong with it. */
export function parseCertificates(text: string): readonly CaCertificate[] | string {
  const pem = readPem(text);
  if (typeof pem === "string") {
    return pem;
  }
  const other = pem.blocks.find(({ label }) => label !== "CERTIFICATE");
  if (other !== undefined) {
    return `it has a PEM block ${other.label}`;
  }
  if (pem.blocks.some(({ hasHeaders }) => hasHeaders)) {
    return "it has a PEM block with headers, which Linkerd's proxy cannot read";
  }
  if (pem.hasTextAfter) {
    return "it has text after its last PEM block";
  }
  try {
    return pem.blocks.map(({ der }) => new CaCertificate(der));
  } catch {
    return "it cannot be parsed";
  }
}
