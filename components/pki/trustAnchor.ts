import * as pulumi from "@pulumi/pulumi";

import { selfSignedCa, Signer } from "./issuing";
import { checkIssuance, HOURS_PER_YEAR, IssuanceArgs, keyGeneration } from "./keyGeneration";

/** Common name of every trust anchor; Linkerd's tools and documentation expect it. */
const COMMON_NAME = "root.linkerd.cluster.local";

/** Default validity of a trust anchor, in hours: ten years. */
export const TRUST_ANCHOR_VALIDITY_HOURS = 10 * HOURS_PER_YEAR;

/** Arguments of a {@link TrustAnchor}. */
export interface TrustAnchorArgs extends IssuanceArgs {
  /**
   * PEM of an existing anchor. Nothing is then generated and, without `privateKey`, nothing is signed. Default: generate
   * one, valid for ten years (87600 h).
   */
  readonly certificate?: pulumi.Input<string>;
  /** PEM of the private key of `certificate`, so that it can sign here. Kept secret. Default: none. */
  readonly privateKey?: pulumi.Input<string>;
  /** A hook that may refuse a new key or certificate before it is made; see `signerHook`. Default: none. */
  readonly beforeIssue?: pulumi.ResourceHook;
}

/** A root of trust: a self-signed ECDSA P-256 CA that is generated here, or an existing one. */
export class TrustAnchor extends pulumi.ComponentResource {
  /** The certificate. */
  public readonly certPem: pulumi.Output<string>;
  /** Signs issuers; undefined for a certificate without its key. Never an output of a stack. */
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
      const hooks = args.beforeIssue && { beforeCreate: [args.beforeIssue] };
      const { key, serialNumber } = keyGeneration(this, name, args.generation, hooks);
      const validityHours = args.validityHours ?? TRUST_ANCHOR_VALIDITY_HOURS;
      const subject = { commonName: COMMON_NAME, serialNumber };
      this.signer = selfSignedCa(this, name, { key, subject, validityHours, hooks });
      this.certPem = this.signer.certPem;
    }
    this.registerOutputs({ certPem: this.certPem });
  }
}
