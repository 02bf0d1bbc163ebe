import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { ClusterAccess } from "../cluster/client";
import { normalizePem, sha256 } from "../pki/certificate";
import { IDENTITY_ISSUER_SECRET, identityIssuerName, ROTATING_IDENTITY } from "../pki/identityIssuer";
import { Signer } from "../pki/trustAnchor";
import { throwInputProblems } from "../validation/inputProblems";
import { CertManagerObjects, DEFAULT_CERT_MANAGER_DEADLINE_SECONDS, IssuerRef, issuerRef } from "./resources";
import { renewal, Rotation, rotationProblems } from "./rotation";

/** Name of the Issuer and of its Secret, as Linkerd's documentation has it. */
const TRUST_ANCHOR = "linkerd-trust-anchor";

/** So many digits of the anchor's hash tell two anchors apart. */
const SERIAL_DIGITS = 16;

/** Default of {@link RotatingIdentityArgs}: renewed after 23 hours, when no proxy's certificate of 24 hours is cut short. */
export const IDENTITY_ROTATION: Rotation = { duration: "48h", renewBefore: "25h" };

/** Arguments of a {@link RotatingIdentity}. */
export interface RotatingIdentityArgs extends Partial<Rotation> {
  /** Linkerd's namespace. */
  readonly namespace: pulumi.Input<string>;
  /** Trust domain; the issuer's name is `identity.linkerd.<trust domain>`. */
  readonly trustDomain: string;
  /** The anchor that signs, whose key cert-manager then has in a Secret; or an issuer that exists already. */
  readonly source: Signer | IssuerRef;
  /** How long to wait until the issuer is Ready, in seconds. Default 300. */
  readonly deadlineSeconds?: number;
  /** The cluster to ask about it, the same as the Kubernetes provider's. Default: the ambient kubeconfig. */
  readonly cluster?: ClusterAccess;
}

/**
 * The CA that issues the proxies' certificates, issued and renewed by cert-manager: the same Secret as `IdentityIssuer`
 * makes. Identity reloads it, so a renewal restarts nothing.
 */
export class RotatingIdentity extends pulumi.ComponentResource {
  /** Name of the Secret. */
  public readonly secretName: pulumi.Output<string>;

  public constructor(name: string, args: RotatingIdentityArgs, opts?: pulumi.ComponentResourceOptions) {
    super(ROTATING_IDENTITY, name, {}, opts);

    const { namespace, source, cluster = {} } = args;
    const { deadlineSeconds = DEFAULT_CERT_MANAGER_DEADLINE_SECONDS } = args;
    const rotation = {
      duration: args.duration ?? IDENTITY_ROTATION.duration,
      renewBefore: args.renewBefore ?? IDENTITY_ROTATION.renewBefore,
    };
    throwInputProblems(`RotatingIdentity ${name}`, rotationProblems(rotation));

    const objects = new CertManagerObjects(name, { namespace, deadlineSeconds, cluster }, this);
    const signer = "certPem" in source ? source : undefined;
    const trustAnchor = signer && this.trustAnchor(name, namespace, signer, objects);
    const commonName = identityIssuerName(args.trustDomain);
    const issued = objects.certificate(
      `${name}-certificate`,
      IDENTITY_ISSUER_SECRET,
      {
        secretName: IDENTITY_ISSUER_SECRET,
        ...renewal(rotation),
        issuerRef: issuerRef("certPem" in source ? { name: TRUST_ANCHOR } : source),
        commonName,
        dnsNames: [commonName],
        // Another anchor in the Issuer's Secret is no reason for cert-manager to issue anew; another subject is.
        ...(signer && {
          subject: {
            serialNumber: signer.certPem.apply((pem) => sha256(normalizePem(pem)).slice(0, SERIAL_DIGITS)),
          },
        }),
        isCA: true,
        privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Always" },
        usages: ["cert sign", "crl sign", "server auth", "client auth"],
      },
      trustAnchor,
    );

    this.secretName = objects.ready("ready", [issued]).id.apply(() => IDENTITY_ISSUER_SECRET);
    this.registerOutputs({ secretName: this.secretName });
  }

  private trustAnchor(
    name: string,
    namespace: pulumi.Input<string>,
    signer: Signer,
    objects: CertManagerObjects,
  ): k8s.apiextensions.CustomResource {
    const secret = new k8s.core.v1.Secret(
      `${name}-trust-anchor-secret`,
      {
        metadata: { name: TRUST_ANCHOR, namespace },
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
      TRUST_ANCHOR,
      { ca: { secretName: TRUST_ANCHOR } },
      // The name of the Secret is in the specification, and no output.
      secret,
    );
  }
}
