import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

import { checkIssuance, HOURS_PER_YEAR, IssuanceArgs, keyGeneration } from "./keyGeneration";

const CA_VALIDITY_HOURS = 10 * HOURS_PER_YEAR;
const DEFAULT_VALIDITY_HOURS = HOURS_PER_YEAR;

/** Arguments of a {@link WebhookCertificate}. */
export interface WebhookCertificateArgs extends IssuanceArgs {
  /** Name of the webhook's Service, e.g. `linkerd-proxy-injector`; the Secret is `<service>-k8s-tls`. */
  readonly service: string;
  /** Namespace of the Service. */
  readonly namespace: pulumi.Input<string>;
}

/**
 * The serving certificate of an admission webhook: a CA for ten years and, signed by it, a certificate for one year
 * (8760 h) by default. `generation` issues the latter anew. The CA stays, so a reissue changes no chart value and
 * restarts nothing: the webhooks reload their files.
 */
export class WebhookCertificate extends pulumi.ComponentResource {
  /** PEM of the CA, for the webhook configuration. */
  public readonly caBundle: pulumi.Output<string>;
  /** The serving certificate. */
  public readonly certPem: pulumi.Output<string>;
  /** Name of the Secret. */
  public readonly secretName: pulumi.Output<string>;

  public constructor(name: string, args: WebhookCertificateArgs, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:WebhookCertificate", name, {}, opts);
    checkIssuance(args);

    const dnsName = pulumi.interpolate`${args.service}.${args.namespace}.svc`;
    const caKey = new tls.PrivateKey(
      `${name}-ca-key`,
      { algorithm: "ECDSA", ecdsaCurve: "P256" },
      { parent: this },
    );
    const ca = new tls.SelfSignedCert(
      `${name}-ca`,
      {
        privateKeyPem: caKey.privateKeyPem,
        subject: { commonName: pulumi.interpolate`${dnsName} CA` },
        isCaCertificate: true,
        setSubjectKeyId: true,
        allowedUses: ["cert_signing", "crl_signing"],
        validityPeriodHours: CA_VALIDITY_HOURS,
      },
      { parent: this },
    );

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
        caCertPem: ca.certPem,
        caPrivateKeyPem: caKey.privateKeyPem,
        allowedUses: ["digital_signature", "server_auth"],
        validityPeriodHours: args.validityHours ?? DEFAULT_VALIDITY_HOURS,
      },
      { parent: this },
    );
    const secret = new k8s.core.v1.Secret(
      `${name}-secret`,
      {
        metadata: { name: `${args.service}-k8s-tls`, namespace: args.namespace },
        type: "kubernetes.io/tls",
        stringData: {
          "tls.crt": certificate.certPem,
          // PKCS#8, because the policy validator (Rust) reads no other form of an ECDSA key; the webhooks in Go read
          // every form (linkerd2#7963).
          "tls.key": key.privateKeyPemPkcs8,
        },
      },
      { parent: this },
    );

    this.caBundle = ca.certPem;
    this.certPem = certificate.certPem;
    this.secretName = secret.metadata.name;
    this.registerOutputs({ caBundle: this.caBundle, certPem: this.certPem, secretName: this.secretName });
  }
}
