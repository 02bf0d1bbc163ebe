import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

import { normalizePem, sha256 } from "../certificates/pem";
import { KeyGeneration } from "./keyGeneration";

/** A CA that can sign. Its key is a secret and is passed between components only. */
export interface Signer {
  readonly certPem: pulumi.Output<string>;
  readonly privateKeyPem: pulumi.Output<string>;
}

/** This many digits of a CA's hash tell two CAs apart. */
const SERIAL_DIGITS = 16;

/** Tells by which CA a certificate is to be signed, where its subject is all that makes cert-manager reissue it. */
export function signerSerial({ certPem }: Signer): pulumi.Output<string> {
  return certPem.apply((pem) => sha256(normalizePem(pem)).slice(0, SERIAL_DIGITS));
}

/** Usages of a certificate, as the tls provider names them. */
const USAGES = {
  root: ["cert_signing", "crl_signing"],
  issuer: ["cert_signing", "crl_signing", "server_auth", "client_auth"],
  server: ["digital_signature", "server_auth"],
};

/** What a CA that signs itself is made of. */
export interface SelfSignedCaArgs {
  readonly key: tls.PrivateKey;
  readonly subject: tls.SelfSignedCertArgs["subject"];
  readonly validityHours: number;
  /** Run before it is issued. */
  readonly hooks?: pulumi.ResourceHookBinding;
}

/** Issues a self-signed CA, as a child of `parent`. */
export function selfSignedCa(parent: pulumi.Resource, name: string, args: SelfSignedCaArgs): Signer {
  const { privateKeyPem } = args.key;
  const { certPem } = new tls.SelfSignedCert(
    `${name}-certificate`,
    {
      privateKeyPem,
      subject: args.subject,
      isCaCertificate: true,
      setSubjectKeyId: true,
      allowedUses: USAGES.root,
      validityPeriodHours: args.validityHours,
    },
    { parent, hooks: args.hooks },
  );
  return { certPem, privateKeyPem };
}

/** What a certificate that a CA signs is made of. */
export interface SignedCertificateArgs extends KeyGeneration {
  /** The issuer is a CA itself. */
  readonly usage: "issuer" | "server";
  /** Common name and only DNS name. */
  readonly dnsName: pulumi.Input<string>;
  readonly validityHours: number;
  readonly signer: Signer;
  /** Run before it is signed. Default: none. */
  readonly hooks?: pulumi.ResourceHookBinding;
}

/** Issues a certificate that `signer` signs, as a child of `parent`. */
export function signedCertificate(
  parent: pulumi.Resource,
  name: string,
  args: SignedCertificateArgs,
): pulumi.Output<string> {
  const { key, serialNumber, usage, dnsName, signer } = args;
  const { certRequestPem } = new tls.CertRequest(
    `${name}-request`,
    {
      privateKeyPem: key.privateKeyPem,
      subject: { commonName: dnsName, serialNumber },
      dnsNames: [dnsName],
    },
    { parent },
  );
  const { certPem } = new tls.LocallySignedCert(
    `${name}-certificate`,
    {
      certRequestPem,
      caCertPem: signer.certPem,
      caPrivateKeyPem: signer.privateKeyPem,
      ...(usage === "issuer" && { isCaCertificate: true, setSubjectKeyId: true }),
      allowedUses: USAGES[usage],
      validityPeriodHours: args.validityHours,
    },
    { parent, hooks: args.hooks },
  );
  return certPem;
}
