import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

import { checkIssuance, HOURS_PER_YEAR, IssuanceArgs, keyGeneration } from "./keyGeneration";

/** Common name of every trust anchor; Linkerd's tools and documentation expect it. */
const COMMON_NAME = "root.linkerd.cluster.local";

/** Default validity of a trust anchor, in hours: ten years. */
export const TRUST_ANCHOR_VALIDITY_HOURS = 10 * HOURS_PER_YEAR;

/** A CA that can sign. Its key is a secret and is passed between components only. */
export interface Signer {
  readonly certPem: pulumi.Output<string>;
  readonly privateKeyPem: pulumi.Output<string>;
}

/** Arguments of a {@link TrustAnchor}. */
export interface TrustAnchorArgs extends IssuanceArgs {
  /**
   * PEM of an anchor that exists already. Nothing is then generated, and without `privateKey` nothing signed. Default:
   * generate one, valid for ten years (87600 h).
   */
  readonly certificate?: pulumi.Input<string>;
  /** PEM of the private key of `certificate`, so that it signs here after all. Kept secret. Default: none. */
  readonly privateKey?: pulumi.Input<string>;
}

/** A root of trust: a self-signed ECDSA P-256 CA that is made here, or one that is brought. */
export class TrustAnchor extends pulumi.ComponentResource {
  /** The certificate. */
  public readonly certPem: pulumi.Output<string>;
  /** Signs issuers; undefined where the certificate was brought without its key. Never an output of a stack. */
  public readonly signer?: Signer;

  public constructor(name: string, args: TrustAnchorArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:TrustAnchor", name, {}, opts);
    checkIssuance(`TrustAnchor ${name}`, args);

    if (args.certificate !== undefined) {
      this.certPem = pulumi.output(args.certificate);
      if (args.privateKey !== undefined) {
        this.signer = { certPem: this.certPem, privateKeyPem: pulumi.secret(args.privateKey) };
      }
    } else {
      const { key, serialNumber } = keyGeneration(this, name, args.generation);
      const certificate = new tls.SelfSignedCert(
        `${name}-certificate`,
        {
          privateKeyPem: key.privateKeyPem,
          subject: { commonName: COMMON_NAME, serialNumber },
          isCaCertificate: true,
          setSubjectKeyId: true,
          allowedUses: ["cert_signing", "crl_signing"],
          validityPeriodHours: args.validityHours ?? TRUST_ANCHOR_VALIDITY_HOURS,
        },
        { parent: this },
      );
      this.certPem = certificate.certPem;
      this.signer = { certPem: certificate.certPem, privateKeyPem: key.privateKeyPem };
    }
    this.registerOutputs({ certPem: this.certPem });
  }
}
