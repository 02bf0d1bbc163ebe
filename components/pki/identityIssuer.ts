import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

import { normalizePem } from "./certificate";
import { checkIssuance, HOURS_PER_YEAR, IssuanceArgs, keyGeneration } from "./keyGeneration";
import { formerCertificate, takeover, TAKEOVER_ANNOTATIONS } from "./takeover";
import { Signer } from "./trustAnchor";

/** The Secret that the identity controller mounts; the name is fixed in the chart. */
export const IDENTITY_ISSUER_SECRET = "linkerd-identity-issuer";

/** Type of the component that has cert-manager issue the same Secret. */
export const ROTATING_IDENTITY = "linkerd-mtls:index:RotatingIdentity";

/** Common name and DNS name of the issuer. */
export function identityIssuerName(trustDomain: string): string {
  return `identity.linkerd.${trustDomain}`;
}

const DEFAULT_VALIDITY_HOURS = HOURS_PER_YEAR;

/** An issuer that exists already. */
export interface ProvidedIssuer {
  /** PEM of the intermediate CA. */
  readonly certificate: pulumi.Input<string>;
  /** PEM of its private key; is kept secret, as all of the Secret is, even where it was not given as one. */
  readonly privateKey: pulumi.Input<string>;
}

/** Arguments of an {@link IdentityIssuer}. */
export interface IdentityIssuerArgs extends IssuanceArgs {
  /** Linkerd's namespace. */
  readonly namespace: pulumi.Input<string>;
  /** Trust domain; the issuer's name is `identity.linkerd.<trust domain>`. */
  readonly trustDomain: string;
  /** PEMs of all trust anchors; `linkerd check` reads them from the Secret's `ca.crt`. */
  readonly trustBundlePem: pulumi.Input<string>;
  /** The anchor that signs, valid for one year (8760 h) by default; or the issuer itself. */
  readonly source: Signer | ProvidedIssuer;
}

/** The CA that issues the proxies' certificates, as the Secret that Linkerd's identity controller mounts. */
export class IdentityIssuer extends pulumi.ComponentResource {
  /** The certificate. */
  public readonly certPem: pulumi.Output<string>;
  /** Name of the Secret. */
  public readonly secretName: pulumi.Output<string>;

  public constructor(name: string, args: IdentityIssuerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:IdentityIssuer", name, {}, opts);
    checkIssuance(`IdentityIssuer ${name}`, args);

    const issuer = "certificate" in args.source ? args.source : this.sign(name, args, args.source);
    const secret = new k8s.core.v1.Secret(
      `${name}-secret`,
      {
        metadata: {
          name: IDENTITY_ISSUER_SECRET,
          namespace: args.namespace,
          annotations: TAKEOVER_ANNOTATIONS,
        },
        type: "kubernetes.io/tls",
        stringData: {
          "tls.crt": pulumi.output(issuer.certificate).apply(normalizePem),
          "tls.key": pulumi.output(issuer.privateKey).apply(normalizePem),
          "ca.crt": args.trustBundlePem,
        },
      },
      {
        parent: this,
        ...takeover(formerCertificate(ROTATING_IDENTITY, name, `${name}-certificate`, opts?.parent)),
      },
    );

    this.certPem = pulumi.output(issuer.certificate);
    this.secretName = secret.metadata.name;
    this.registerOutputs({ certPem: this.certPem, secretName: this.secretName });
  }

  private sign(name: string, args: IdentityIssuerArgs, signer: Signer): ProvidedIssuer {
    const commonName = identityIssuerName(args.trustDomain);
    const { key, serialNumber } = keyGeneration(this, name, args.generation);
    const request = new tls.CertRequest(
      `${name}-request`,
      { privateKeyPem: key.privateKeyPem, subject: { commonName, serialNumber }, dnsNames: [commonName] },
      { parent: this },
    );
    const certificate = new tls.LocallySignedCert(
      `${name}-certificate`,
      {
        certRequestPem: request.certRequestPem,
        caCertPem: signer.certPem,
        caPrivateKeyPem: signer.privateKeyPem,
        isCaCertificate: true,
        setSubjectKeyId: true,
        allowedUses: ["cert_signing", "crl_signing", "server_auth", "client_auth"],
        validityPeriodHours: args.validityHours ?? DEFAULT_VALIDITY_HOURS,
      },
      { parent: this },
    );
    return { certificate: certificate.certPem, privateKey: key.privateKeyPem };
  }
}
