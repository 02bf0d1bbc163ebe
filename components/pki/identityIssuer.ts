import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { isAdoptedSecret } from "../cluster/adoption";
import { ClusterAccess } from "../cluster/client";
import { CertManagerObjects, IssuerRef, issuerRef, Placement } from "../certManager/resources";
import { renewal, Rotation, rotationProblems } from "../certManager/rotation";
import { normalizePem, sha256 } from "../certificates/pem";
import { throwInputProblems } from "../validation/inputProblems";
import { within } from "../validation/problem";
import { signedCertificate, Signer, signerSerial } from "./issuing";
import { lifetimeHook } from "./issuerLifetime";
import { checkIssuance, HOURS_PER_YEAR, IssuanceArgs, keyGeneration } from "./keyGeneration";
import { nameByCertManager, takeover, TAKEOVER_ANNOTATIONS } from "./takeover";

/** The Secret that the identity controller mounts; the name is fixed in the chart. */
export const IDENTITY_ISSUER_SECRET = "linkerd-identity-issuer";

/** Name of cert-manager's Issuer with the trust anchor, and of its Secret, as in Linkerd's documentation. */
export const TRUST_ANCHOR_SECRET = "linkerd-trust-anchor";

/** Default validity of an issuer that is signed here. */
const VALIDITY_HOURS = HOURS_PER_YEAR;

/** Default rotation: renewed after 23 hours, so that no proxy's certificate of 24 hours is cut short. */
export const IDENTITY_ROTATION: Rotation = { duration: "48h", renewBefore: "25h" };

/** Common name and DNS name of the issuer. */
export function identityIssuerName(trustDomain: string): string {
  return `identity.linkerd.${trustDomain}`;
}

/** An existing issuer. */
export interface ProvidedIssuer {
  /** PEM of the intermediate CA. */
  readonly certificate: pulumi.Input<string>;
  /** PEM of its private key. All of the Secret is kept secret, even when this is not marked as one. */
  readonly privateKey: pulumi.Input<string>;
}

/** An issuer that is issued here, for one year (8760 h) by default. */
export interface SignedIssuer extends IssuanceArgs {
  /** The trust anchor that signs. */
  readonly signer: Signer;
}

/** An issuer that cert-manager issues and renews. Identity reloads it, so a renewal restarts nothing. */
export interface RotatingIssuer extends Partial<Rotation>, Pick<Placement, "deadlineSeconds"> {
  /** The trust anchor that signs, whose key cert-manager gets in a Secret; or an existing issuer of cert-manager. */
  readonly issuedBy: Signer | IssuerRef;
}

/** Arguments of an {@link IdentityIssuer}. */
export interface IdentityIssuerArgs {
  /** Linkerd's namespace. */
  readonly namespace: pulumi.Input<string>;
  /** Trust domain; the issuer's name is `identity.linkerd.<trust domain>`. */
  readonly trustDomain: string;
  /** PEMs of all trust anchors; `linkerd check` reads them from the Secret's `ca.crt`. */
  readonly trustBundlePem: pulumi.Input<string>;
  /** Where the issuer comes from. It can be switched in one deployment: see `handover`. */
  readonly source: ProvidedIssuer | SignedIssuer | RotatingIssuer;
  /**
   * Whether the Secret stays in the cluster when the component no longer writes it, so that cert-manager can take it over
   * while pods mount it. Set it where the namespace is deleted with the stack. Default false.
   */
  readonly handover?: boolean;
  /** The cluster, the same as the Kubernetes provider's. */
  readonly cluster: ClusterAccess;
}

/** The CA that issues the proxies' certificates, as the Secret that Linkerd's identity controller mounts. */
export class IdentityIssuer extends pulumi.ComponentResource {
  /** The certificate; undefined where cert-manager issues it, so that no deployment knows it. */
  public readonly certPem?: pulumi.Output<string>;
  /** Name of the Secret. */
  public readonly secretName: pulumi.Output<string>;
  /** SHA-256 of the certificate, or of what cert-manager signs it with: it changes when another issuer is configured. */
  public readonly digest: pulumi.Output<string>;

  public constructor(name: string, args: IdentityIssuerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:IdentityIssuer", name, {}, opts);

    const { source } = args;
    if ("issuedBy" in source) {
      this.secretName = this.rotate(name, args, source);
      const { issuedBy } = source;
      const signer = "certPem" in issuedBy ? issuedBy.certPem : pulumi.jsonStringify(issuedBy);
      this.digest = signer.apply(sha256);
    } else {
      const issuer = "signer" in source ? this.sign(name, args.trustDomain, source) : source;
      this.certPem = pulumi.output(issuer.certificate);
      this.secretName = this.write(name, args, issuer);
      this.digest = this.certPem.apply(sha256);
    }
    this.registerOutputs({ certPem: this.certPem, secretName: this.secretName });
  }

  private write(name: string, args: IdentityIssuerArgs, issuer: ProvidedIssuer): pulumi.Output<string> {
    const { namespace, handover = false, cluster } = args;
    const resource = `${name}-secret`;
    const certificate = pulumi.output(issuer.certificate).apply(normalizePem);
    const privateKey = pulumi.output(issuer.privateKey).apply(normalizePem);
    const secret = new k8s.core.v1.Secret(
      resource,
      {
        metadata: { name: IDENTITY_ISSUER_SECRET, namespace, annotations: TAKEOVER_ANNOTATIONS },
        type: "kubernetes.io/tls",
        stringData: {
          "tls.crt": certificate,
          "tls.key": privateKey,
          "ca.crt": args.trustBundlePem,
          // Identity of others can be of scheme linkerd.io/tls, and is restarted, by this program or by chance, only later.
          ...(isAdoptedSecret(cluster, IDENTITY_ISSUER_SECRET) && {
            "crt.pem": certificate,
            "key.pem": privateKey,
          }),
        },
      },
      {
        parent: this,
        ...takeover({
          name: resource,
          resource: certificateName(name),
          handover,
          cluster,
        }),
      },
    );
    return secret.metadata.name;
  }

  private sign(name: string, trustDomain: string, source: SignedIssuer): ProvidedIssuer {
    checkIssuance(`IdentityIssuer ${name}`, source);
    const generation = keyGeneration(this, name, source.generation);
    const certificate = signedCertificate(this, name, {
      ...generation,
      usage: "issuer",
      dnsName: identityIssuerName(trustDomain),
      validityHours: source.validityHours ?? VALIDITY_HOURS,
      signer: source.signer,
      hooks: { beforeCreate: [lifetimeHook(`${name}-lifetime`)] },
    });
    return { certificate, privateKey: generation.key.privateKeyPem };
  }

  private rotate(name: string, args: IdentityIssuerArgs, source: RotatingIssuer): pulumi.Output<string> {
    const { namespace, cluster } = args;
    const { issuedBy, deadlineSeconds } = source;
    const rotation = {
      duration: source.duration ?? IDENTITY_ROTATION.duration,
      renewBefore: source.renewBefore ?? IDENTITY_ROTATION.renewBefore,
    };
    throwInputProblems(`IdentityIssuer ${name}`, within("source", rotationProblems(rotation)));

    const objects = new CertManagerObjects(name, { namespace, deadlineSeconds, cluster }, this);
    const signer = "certPem" in issuedBy ? issuedBy : undefined;
    const anchorIssuer = signer && this.anchorIssuer(name, namespace, signer, objects);
    const commonName = identityIssuerName(args.trustDomain);
    const issued = objects.certificate(
      certificateName(name),
      IDENTITY_ISSUER_SECRET,
      {
        secretName: IDENTITY_ISSUER_SECRET,
        ...renewal(rotation),
        issuerRef: issuerRef("certPem" in issuedBy ? { name: TRUST_ANCHOR_SECRET } : issuedBy),
        commonName,
        // An issuer of others may refuse a second name.
        dnsNames: [commonName, ...(signer === undefined ? [] : [nameByCertManager(commonName)])],
        // cert-manager does not reissue when the Issuer's Secret holds another anchor, but does for another subject.
        ...(signer && {
          subject: { serialNumber: signerSerial(signer) },
        }),
        isCA: true,
        privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Always" },
        usages: ["cert sign", "crl sign", "server auth", "client auth"],
      },
      anchorIssuer,
    );
    return objects.ready("ready", [issued]).id.apply(() => IDENTITY_ISSUER_SECRET);
  }

  private anchorIssuer(
    name: string,
    namespace: pulumi.Input<string>,
    signer: Signer,
    objects: CertManagerObjects,
  ): k8s.apiextensions.CustomResource {
    const secret = new k8s.core.v1.Secret(
      `${name}-trust-anchor-secret`,
      {
        metadata: { name: TRUST_ANCHOR_SECRET, namespace },
        type: "kubernetes.io/tls",
        stringData: {
          "tls.crt": signer.certPem.apply(normalizePem),
          "tls.key": signer.privateKeyPem.apply(normalizePem),
        },
      },
      { parent: this },
    );
    return objects.issuer(
      `${name}-trust-anchor`,
      TRUST_ANCHOR_SECRET,
      { ca: { secretName: TRUST_ANCHOR_SECRET } },
      // The specification has the Secret's name, and no output of it.
      secret,
    );
  }
}

/** Name of the resource for cert-manager's Certificate, from which the Secret takes over. */
function certificateName(name: string): string {
  return `${name}-certificate`;
}
