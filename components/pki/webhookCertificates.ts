import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

import { ClusterAccess } from "../cluster/client";
import { CertManagerObjects, issuerRef, Placement } from "../certManager/resources";
import { renewal, Rotation, RotationLimits, rotationProblems } from "../certManager/rotation";
import { throwInputProblems } from "../validation/inputProblems";
import { within } from "../validation/problem";
import { parseDuration } from "../validation/duration";
import { selfSignedCa, signedCertificate, Signer } from "./issuing";
import { checkIssuance, HOURS_PER_YEAR, hoursUpTo, IssuanceArgs, keyGeneration } from "./keyGeneration";
import { nameByCertManager, takeover, TAKEOVER_ANNOTATIONS } from "./takeover";

/** Validity of the CA, in hours: ten years. */
const CA_VALIDITY_HOURS = 10 * HOURS_PER_YEAR;
/** Rule of the validity of a certificate that is signed here: the API server takes none from the end of its CA on. */
export const WEBHOOK_VALIDITY_HOURS = hoursUpTo(CA_VALIDITY_HOURS, "the validity of their CA");
/** Default validity of a certificate that is signed here. */
const VALIDITY_HOURS = HOURS_PER_YEAR;

/** Name of cert-manager's Issuer of the webhooks' certificates, as in Linkerd's documentation, and of the Certificate of its CA. */
export const WEBHOOK_CA = "webhook-issuer";
const ISSUER_SECRET = "webhook-issuer-tls";
/** Name of the Issuer that renews the CA. */
const CA_ISSUER = "webhook-issuer-ca";

/** Says who renews the CA in its Secret. */
const RENEWED_ANNOTATION = "linkerd-mtls/renewed";

/** Default of {@link WebhookRotation}: a certificate for a day, renewed after 23 hours. */
export const WEBHOOK_ROTATION: Rotation = { duration: "24h", renewBefore: "1h" };

/** Default of {@link WebhookRotation.caRotation}: a CA for a year, renewed 90 days before its end. */
export const WEBHOOK_CA_ROTATION: Rotation = { duration: "8760h", renewBefore: "2160h" };

/**
 * How the API server comes to trust a webhook: by the PEM of the CA, which the chart is given; or by cert-manager, which
 * injects the CA of a Certificate, `<namespace>/<name>`, and keeps it up to date.
 */
export type WebhookTrust = { readonly caBundle: string } | { readonly injectCaFrom: string };

/** How cert-manager issues and renews the certificates of webhooks. */
export interface WebhookRotation extends Partial<Rotation> {
  /**
   * Rotates the CA too: cert-manager renews it under the same key, and its injector gives it to the API server. Default:
   * the CA stays for ten years, and the charts give it to the API server.
   */
  readonly caRotation?: Rotation;
}

/** Who issues the certificates of webhooks, and how. */
export interface WebhookIssuance {
  /** How they are signed here. Default: for one year (8760 h). No effect with `webhookRotation`. */
  readonly webhookCertificates?: IssuanceArgs;
  /** How cert-manager issues and renews them, and how long to wait for it. Default: they are signed here. */
  readonly webhookRotation?: WebhookRotation & Pick<Placement, "deadlineSeconds">;
}

/** Arguments of {@link WebhookCertificates}. */
export interface WebhookCertificatesArgs<S extends string> extends WebhookIssuance {
  /** Namespace of the webhooks. */
  readonly namespace: pulumi.Input<string>;
  /** Names of the webhooks' Services, e.g. `linkerd-proxy-injector`; the Secrets are `<service>-k8s-tls`. */
  readonly services: readonly S[];
  /**
   * Whether the Secrets stay in the cluster when the component no longer writes them, so that cert-manager can take them
   * over while pods mount them. Set it where the namespace is deleted with the stack. Default false.
   */
  readonly handover?: boolean;
  /** The cluster, the same as the Kubernetes provider's. */
  readonly cluster: ClusterAccess;
}

/**
 * The serving certificates of the webhooks of one namespace, as the Secrets that they mount. Their CA is an ECDSA P-256
 * CA for ten years; it is the same whoever issues the certificates, so the API server trusts the old and the new ones
 * when that changes. The webhooks reload their files, so neither a reissue nor a renewal restarts anything.
 */
export class WebhookCertificates<S extends string> extends pulumi.ComponentResource {
  /** How the API server comes to trust each webhook, by Service. */
  public readonly trust: Readonly<Record<S, pulumi.Output<WebhookTrust>>>;
  /** The certificates, by Service; undefined where cert-manager issues them, so that no deployment knows them. */
  public readonly certPems?: Readonly<Record<S, pulumi.Output<string>>>;
  /** The CA; undefined where cert-manager renews it. */
  public readonly caPem?: pulumi.Output<string>;

  public constructor(name: string, args: WebhookCertificatesArgs<S>, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:WebhookCertificates", name, {}, opts);

    const { namespace, services, webhookRotation: rotation } = args;
    const ca = this.ca(name, namespace);
    if (rotation === undefined) {
      this.certPems = byService(services, (service) => this.sign(name, service, ca, args));
    } else {
      this.rotate(name, ca, args, rotation);
    }
    if (rotation?.caRotation === undefined) {
      this.caPem = ca.certPem;
    }
    this.trust = byService(services, (service) =>
      rotation?.caRotation === undefined
        ? ca.certPem.apply((caBundle) => ({ caBundle }))
        : pulumi.interpolate`${namespace}/${service}`.apply((injectCaFrom) => ({ injectCaFrom })),
    );
    this.registerOutputs({ trust: this.trust, certPems: this.certPems, caPem: this.caPem });
  }

  private ca(name: string, namespace: pulumi.Input<string>): Signer {
    const key = new tls.PrivateKey(
      `${name}-ca-key`,
      { algorithm: "ECDSA", ecdsaCurve: "P256" },
      { parent: this },
    );
    const subject = { commonName: caName(namespace) };
    return selfSignedCa(this, `${name}-ca`, { key, subject, validityHours: CA_VALIDITY_HOURS });
  }

  private sign(
    name: string,
    service: S,
    signer: Signer,
    args: WebhookCertificatesArgs<S>,
  ): pulumi.Output<string> {
    const { namespace, webhookCertificates = {}, handover = false, cluster } = args;
    checkIssuance(`WebhookCertificates ${name}`, webhookCertificates, WEBHOOK_VALIDITY_HOURS);
    const generation = keyGeneration(this, `${name}-${service}`, webhookCertificates.generation);
    const certPem = signedCertificate(this, `${name}-${service}`, {
      ...generation,
      usage: "server",
      dnsName: dnsName(service, namespace),
      validityHours: webhookCertificates.validityHours ?? VALIDITY_HOURS,
      signer,
    });
    const resource = `${name}-${service}-secret`;
    new k8s.core.v1.Secret(
      resource,
      {
        metadata: { name: secretName(service), namespace, annotations: TAKEOVER_ANNOTATIONS },
        type: "kubernetes.io/tls",
        stringData: {
          "tls.crt": certPem,
          // PKCS#8, because the policy validator (Rust) reads no other form of an ECDSA key; the webhooks in Go read
          // every form (linkerd2#7963).
          "tls.key": generation.key.privateKeyPemPkcs8,
        },
      },
      {
        parent: this,
        ...takeover({
          name: resource,
          resource: `${name}-${service}-certificate`,
          certificate: service,
          handover,
          cluster,
        }),
      },
    );
    return certPem;
  }

  private rotate(
    name: string,
    ca: Signer,
    { namespace, services, cluster }: WebhookCertificatesArgs<S>,
    { caRotation, deadlineSeconds, ...given }: NonNullable<WebhookIssuance["webhookRotation"]>,
  ): void {
    const rotation = {
      duration: given.duration ?? WEBHOOK_ROTATION.duration,
      renewBefore: given.renewBefore ?? WEBHOOK_ROTATION.renewBefore,
    };
    throwInputProblems(
      `WebhookCertificates ${name}`,
      within("webhookRotation", [
        ...rotationProblems(rotation, caRotation && webhookLimits(caRotation)),
        ...(caRotation ? within("caRotation", rotationProblems(caRotation)) : []),
      ]),
    );
    const objects = new CertManagerObjects(name, { namespace, deadlineSeconds, cluster }, this);

    const secret = new k8s.core.v1.Secret(
      `${name}-issuer-secret`,
      {
        metadata: {
          name: ISSUER_SECRET,
          namespace,
          // When cert-manager stops renewing the CA, this difference writes the CA of ten years back.
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
    const issuer = objects.issuer(
      `${name}-issuer`,
      WEBHOOK_CA,
      { ca: { secretName: ISSUER_SECRET } },
      // The specification has the Secret's name, and no output of it.
      caRotation === undefined ? secret : renewedCa(name, namespace, caRotation, objects, secret),
    );
    const certificates = services.map((service) =>
      objects.certificate(
        `${name}-${service}-certificate`,
        service,
        {
          secretName: secretName(service),
          ...renewal(rotation),
          issuerRef: issuerRef({ name: WEBHOOK_CA }),
          commonName: dnsName(service, namespace),
          dnsNames: [dnsName(service, namespace), nameByCertManager(dnsName(service, namespace))],
          // The policy validator (Rust) reads no other form of an ECDSA key (linkerd2#7963).
          privateKey: { algorithm: "ECDSA", size: 256, encoding: "PKCS8", rotationPolicy: "Always" },
          usages: ["server auth"],
        },
        issuer,
      ),
    );
    objects.ready("ready", certificates);
  }
}

/**
 * Has cert-manager renew the CA in its Secret. The key stays, so a certificate signed before the renewal is valid under
 * the renewed CA, and one signed after it under the CA before: no request fails until every client has the new one.
 */
function renewedCa(
  name: string,
  namespace: pulumi.Input<string>,
  rotation: Rotation,
  objects: CertManagerObjects,
  secret: k8s.core.v1.Secret,
): pulumi.Resource {
  const commonName = caName(namespace);
  const selfSigned = objects.issuer(`${name}-ca-issuer`, CA_ISSUER, { selfSigned: {} });
  const issued = objects.certificate(
    `${name}-ca-renewal`,
    WEBHOOK_CA,
    {
      secretName: ISSUER_SECRET,
      ...renewal(rotation),
      issuerRef: issuerRef({ name: CA_ISSUER }),
      commonName,
      // The CA of ten years in the Secret does not have it.
      dnsNames: [nameByCertManager(commonName)],
      isCA: true,
      privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Never" },
      usages: ["cert sign", "crl sign"],
    },
    // It takes the key from the Secret.
    [selfSigned, secret],
  );
  return objects.ready("ca-ready", [issued]);
}

/** What a CA's rotation leaves to the certificates that it signs: one signed just before the renewal must not outlive it. */
export function webhookLimits({ renewBefore }: Rotation): RotationLimits {
  const seconds = parseDuration(renewBefore);
  return seconds === undefined
    ? {}
    : { signedBy: { seconds, what: "the time for which a CA stays valid after its renewal" } };
}

/** Common name of the CA of a namespace's webhooks. */
function caName(namespace: pulumi.Input<string>): pulumi.Output<string> {
  return pulumi.interpolate`webhook-issuer.${namespace}`;
}

function dnsName(service: string, namespace: pulumi.Input<string>): pulumi.Output<string> {
  return pulumi.interpolate`${service}.${namespace}.svc`;
}

/** Name of the Secret that a webhook mounts; it is fixed in the charts. */
function secretName(service: string): string {
  return `${service}-k8s-tls`;
}

function byService<S extends string, T>(services: readonly S[], value: (service: S) => T): Record<S, T> {
  // Object.fromEntries forgets the names.
  return Object.fromEntries(services.map((service) => [service, value(service)])) as Record<S, T>;
}
