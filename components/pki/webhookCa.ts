import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

import { HOURS_PER_YEAR } from "./keyGeneration";
import { Signer } from "./trustAnchor";

/** Validity of the CA, in hours: ten years. */
export const WEBHOOK_CA_VALIDITY_HOURS = 10 * HOURS_PER_YEAR;

/** Arguments of a {@link WebhookCa}. */
export interface WebhookCaArgs {
  /** Namespace of the webhooks. */
  readonly namespace: pulumi.Input<string>;
}

/** Common name of the CA of a namespace's webhooks. */
export function webhookCaName(namespace: string): string {
  return `webhook-issuer.${namespace}`;
}

/**
 * The CA of the webhooks of one namespace, an ECDSA P-256 CA for ten years. It is the same whoever issues the webhooks'
 * certificates, so that the API server trusts the old and the new ones when that changes.
 */
export class WebhookCa extends pulumi.ComponentResource {
  /** The certificate. */
  public readonly certPem: pulumi.Output<string>;
  /** Signs the webhooks' certificates. Never an output of a stack. */
  public readonly signer: Signer;

  public constructor(name: string, args: WebhookCaArgs, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:WebhookCa", name, {}, opts);

    const key = new tls.PrivateKey(
      `${name}-key`,
      { algorithm: "ECDSA", ecdsaCurve: "P256" },
      { parent: this },
    );
    const certificate = new tls.SelfSignedCert(
      `${name}-certificate`,
      {
        privateKeyPem: key.privateKeyPem,
        subject: { commonName: pulumi.output(args.namespace).apply(webhookCaName) },
        isCaCertificate: true,
        setSubjectKeyId: true,
        allowedUses: ["cert_signing", "crl_signing"],
        validityPeriodHours: WEBHOOK_CA_VALIDITY_HOURS,
      },
      { parent: this },
    );

    this.certPem = certificate.certPem;
    this.signer = { certPem: certificate.certPem, privateKeyPem: key.privateKeyPem };
    this.registerOutputs({ certPem: this.certPem });
  }
}
