import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

import { checkIssuance, HOURS_PER_YEAR, IssuanceArgs, keyGeneration } from "./keyGeneration";
import { takeover, TAKEOVER_ANNOTATIONS } from "./takeover";
import { Signer } from "./trustAnchor";
import { WebhookTrust } from "./webhookTrust";

const DEFAULT_VALIDITY_HOURS = HOURS_PER_YEAR;

/** Name of the Secret that a webhook mounts; it is fixed in the charts. */
export function webhookSecretName(service: string): string {
  return `${service}-k8s-tls`;
}

/** Arguments of a {@link WebhookCertificate}. */
export interface WebhookCertificateArgs extends IssuanceArgs {
  /** Name of the webhook's Service, e.g. `linkerd-proxy-injector`; the Secret is `<service>-k8s-tls`. */
  readonly service: string;
  /** Namespace of the Service. */
  readonly namespace: pulumi.Input<string>;
  /** Signs the certificate. */
  readonly ca: Signer;
  /** URN of the Certificate by which cert-manager wrote the Secret before, where it may have. Default: none. */
  readonly formerCertificate?: pulumi.Input<pulumi.URN>;
}

/**
 * The serving certificate of an admission webhook, for one year (8760 h) by default. `generation` issues it anew. The CA
 * stays, so a reissue changes no chart value and restarts nothing: the webhooks reload their files.
 */
export class WebhookCertificate extends pulumi.ComponentResource {
  /** How the API server comes to trust it. */
  public readonly trust: pulumi.Output<WebhookTrust>;
  /** The serving certificate. */
  public readonly certPem: pulumi.Output<string>;
  /** Name of the Secret. */
  public readonly secretName: pulumi.Output<string>;

  public constructor(name: string, args: WebhookCertificateArgs, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:WebhookCertificate", name, {}, opts);
    checkIssuance(`WebhookCertificate ${name}`, args);

    const dnsName = pulumi.interpolate`${args.service}.${args.namespace}.svc`;
    const { key, serialNumber } = keyGeneration(this, name, args.generation);
    const request = new tls.CertRequest(
      `${name}-request`,
      {
        privateKeyPem: key.privateKeyPem,
        subject: { commonName: dnsName, serialNumber },
        dnsNames: [dnsName],
      },
      { parent: this },
    );
    const certificate = new tls.LocallySignedCert(
      `${name}-certificate`,
      {
        certRequestPem: request.certRequestPem,
        caCertPem: args.ca.certPem,
        caPrivateKeyPem: args.ca.privateKeyPem,
        allowedUses: ["digital_signature", "server_auth"],
        validityPeriodHours: args.validityHours ?? DEFAULT_VALIDITY_HOURS,
      },
      { parent: this },
    );
    const secret = new k8s.core.v1.Secret(
      `${name}-secret`,
      {
        metadata: {
          name: webhookSecretName(args.service),
          namespace: args.namespace,
          annotations: TAKEOVER_ANNOTATIONS,
        },
        type: "kubernetes.io/tls",
        stringData: {
          "tls.crt": certificate.certPem,
          // PKCS#8, because the policy validator (Rust) reads no other form of an ECDSA key; the webhooks in Go read
          // every form (linkerd2#7963).
          "tls.key": key.privateKeyPemPkcs8,
        },
      },
      { parent: this, ...takeover(args.formerCertificate) },
    );

    this.trust = args.ca.certPem.apply((caBundle) => ({ caBundle }));
    this.certPem = certificate.certPem;
    this.secretName = secret.metadata.name;
    this.registerOutputs({ trust: this.trust, certPem: this.certPem, secretName: this.secretName });
  }
}
