import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { ClusterAccess } from "../cluster/client";
import { TAKEOVER_ANNOTATIONS } from "../pki/takeover";
import { Signer } from "../pki/trustAnchor";
import { webhookCaName } from "../pki/webhookCa";
import { webhookSecretName } from "../pki/webhookCertificate";
import { WebhookTrust } from "../pki/webhookTrust";
import { parseDuration } from "../validation/duration";
import { throwInputProblems } from "../validation/inputProblems";
import { within } from "../validation/problem";
import { CertManagerObjects, DEFAULT_CERT_MANAGER_DEADLINE_SECONDS, issuerRef } from "./resources";
import { renewal, Rotation, RotationLimits, rotationProblems } from "./rotation";

/** Name of the Issuer of the webhooks' certificates, as Linkerd's documentation has it. */
const ISSUER = "webhook-issuer";
const ISSUER_SECRET = "webhook-issuer-tls";
/** Name of the Issuer that renews the CA. */
const CA_ISSUER = "webhook-issuer-ca";

/** Says who renews the CA in its Secret. */
const RENEWED_ANNOTATION = "linkerd-mtls/renewed";

/** Type of the component, which the certificates that take over from it must know. */
export const ROTATING_WEBHOOKS = "linkerd-mtls:index:RotatingWebhooks";

/** Default of {@link WebhookRotation}: a certificate for a day, renewed after 23 hours. */
export const WEBHOOK_ROTATION: Rotation = { duration: "24h", renewBefore: "1h" };

/** Default of {@link WebhookRotation.caRotation}: a CA for a year, renewed 90 days before its end. */
export const WEBHOOK_CA_ROTATION: Rotation = { duration: "8760h", renewBefore: "2160h" };

/** How cert-manager rotates webhooks' certificates. */
export interface WebhookRotation extends Partial<Rotation> {
  /**
   * Rotates the CA too: cert-manager renews it under the same key, and its injector gives it to the API server. Default:
   * the CA stays for ten years, and the charts give it to the API server.
   */
  readonly caRotation?: Rotation;
  /** How long to wait until the certificates are Ready, in seconds. Default 300. */
  readonly deadlineSeconds?: number;
}

/** Arguments of {@link RotatingWebhooks}. */
export interface RotatingWebhooksArgs<S extends string> extends WebhookRotation {
  /** Namespace of the webhooks. */
  readonly namespace: pulumi.Input<string>;
  /** Names of the webhooks' Services, e.g. `linkerd-proxy-injector`; the Secrets are `<service>-k8s-tls`. */
  readonly services: readonly S[];
  /** Their CA, whose key cert-manager then has in a Secret. */
  readonly ca: Signer;
  /** The cluster to ask about the certificates, the same as the Kubernetes provider's. Default: the ambient kubeconfig. */
  readonly cluster?: ClusterAccess;
}

/**
 * The serving certificates of webhooks in one namespace, issued and renewed by cert-manager: the same Secrets as
 * `WebhookCertificate` makes. The webhooks reload their files, so a renewal restarts nothing.
 */
export class RotatingWebhooks<S extends string> extends pulumi.ComponentResource {
  /** How the API server comes to trust each webhook, by Service. */
  public readonly trust: Readonly<Record<S, pulumi.Output<WebhookTrust>>>;

  public constructor(name: string, args: RotatingWebhooksArgs<S>, opts?: pulumi.ComponentResourceOptions) {
    super(ROTATING_WEBHOOKS, name, {}, opts);

    const { namespace, services, ca, caRotation, cluster = {} } = args;
    const { deadlineSeconds = DEFAULT_CERT_MANAGER_DEADLINE_SECONDS } = args;
    const rotation = {
      duration: args.duration ?? WEBHOOK_ROTATION.duration,
      renewBefore: args.renewBefore ?? WEBHOOK_ROTATION.renewBefore,
    };
    throwInputProblems(`RotatingWebhooks ${name}`, [
      ...rotationProblems(rotation, caRotation && webhookLimits(caRotation)),
      ...(caRotation ? within("caRotation", rotationProblems(caRotation)) : []),
    ]);
    const objects = new CertManagerObjects(name, { namespace, deadlineSeconds, cluster }, this);

    const secret = new k8s.core.v1.Secret(
      `${name}-issuer-secret`,
      {
        metadata: {
          name: ISSUER_SECRET,
          namespace,
          // Where cert-manager no longer renews the CA, this difference writes the one that lasts back.
          annotations: {
            ...TAKEOVER_ANNOTATIONS,
            [RENEWED_ANNOTATION]: caRotation === undefined ? "never" : "by-cert-manager",
          },
        },
        type: "kubernetes.io/tls",
        stringData: { "tls.crt": ca.certPem, "tls.key": ca.privateKeyPem },
      },
      // cert-manager writes the renewed CA here.
      { parent: this, ...(caRotation && { ignoreChanges: ["data", "stringData"] }) },
    );
    const renewedCa = caRotation && this.renewCa(name, namespace, caRotation, objects, secret);
    const signer = objects.issuer(
      `${name}-issuer`,
      ISSUER,
      { ca: { secretName: ISSUER_SECRET } },
      // The name of the Secret is in the specification, and no output.
      renewedCa ?? secret,
    );

    const certificates = services.map((service) => {
      const dnsName = pulumi.interpolate`${service}.${namespace}.svc`;
      return objects.certificate(
        `${name}-${service}`,
        service,
        {
          secretName: webhookSecretName(service),
          ...renewal(rotation),
          issuerRef: issuerRef({ name: ISSUER }),
          commonName: dnsName,
          dnsNames: [dnsName],
          // The policy validator (Rust) reads no other form of an ECDSA key (linkerd2#7963).
          privateKey: { algorithm: "ECDSA", size: 256, encoding: "PKCS8", rotationPolicy: "Always" },
          usages: ["server auth"],
        },
        signer,
      );
    });
    objects.ready("ready", certificates);

    const trust = services.map((service): [S, pulumi.Output<WebhookTrust>] => [
      service,
      caRotation === undefined
        ? ca.certPem.apply((caBundle) => ({ caBundle }))
        : pulumi.output(namespace).apply((place) => ({ injectCaFrom: `${place}/${service}` })),
    ]);
    // Object.fromEntries forgets the names.
    this.trust = Object.fromEntries(trust) as Record<S, pulumi.Output<WebhookTrust>>;
    this.registerOutputs({ trust: this.trust });
  }

  /**
   * Has cert-manager renew the CA in its Secret. The key stays, so that certificates signed before remain valid under
   * the renewed CA, and those signed after under the one before: no moment is lost until everybody has the new one.
   */
  private renewCa(
    name: string,
    namespace: pulumi.Input<string>,
    rotation: Rotation,
    objects: CertManagerObjects,
    secret: k8s.core.v1.Secret,
  ): pulumi.Resource {
    const caName = pulumi.output(namespace).apply(webhookCaName);
    const selfSigned = objects.issuer(`${name}-ca-issuer`, CA_ISSUER, { selfSigned: {} });
    const issued = objects.certificate(
      `${name}-ca-certificate`,
      ISSUER,
      {
        secretName: ISSUER_SECRET,
        ...renewal(rotation),
        issuerRef: issuerRef({ name: CA_ISSUER }),
        commonName: caName,
        // A name that the CA of ten years in the Secret does not have. Otherwise cert-manager may take that one for its
        // own, and renew it only near its end.
        dnsNames: [pulumi.interpolate`renewed.${caName}`],
        isCA: true,
        privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Never" },
        usages: ["cert sign", "crl sign"],
      },
      // It takes the key from the Secret.
      [selfSigned, secret],
    );
    return objects.ready("ca-ready", [issued]);
  }
}

/** What a CA's rotation leaves to the certificates that it signs: one signed just before the renewal must not outlive it. */
export function webhookLimits({ renewBefore }: Rotation): RotationLimits {
  const seconds = parseDuration(renewBefore);
  return seconds === undefined
    ? {}
    : { signedBy: { seconds, what: "the time for which a CA stays valid after its renewal" } };
}
