import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

import { ClusterAccess } from "../cluster/client";
import { CertManagerObjects, issuerRef, Placement } from "../certManager/resources";
import { renewal, Rotation, RotationLimits, rotationProblems } from "../certManager/rotation";
import { throwInputProblems } from "../validation/inputProblems";
import { check, within } from "../validation/problem";
import { COUNT } from "../validation/rule";
import { parseDuration } from "../validation/duration";
import { selfSignedCa, signedCertificate, Signer, signerSerial } from "./issuing";
import { checkIssuance, HOURS_PER_YEAR, hoursUpTo, keyGeneration } from "./keyGeneration";
import { nameByCertManager, takeover, TAKEOVER_ANNOTATIONS } from "./takeover";
import { trustBundle } from "./trustBundle";
import {
  FIRST_CA,
  signingCaProblems,
  webhookCaListProblems,
  webhookCas,
  WebhookIssuanceArgs,
} from "./webhookCas";
import { caName, DeployedWebhook, WebhookGate, webhookGate } from "./webhookChange";
import { webhookOverlap } from "./webhookOverlap";

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

/** The CA of a generation. */
interface NumberedSigner extends Signer {
  readonly generation: number;
}

/** Who issues the certificates of webhooks, and how. */
export interface WebhookIssuance {
  /**
   * How they are signed here, for one year (8760 h) by default, which has no effect with `webhookRotation`; and by which
   * of the CAs, by default by the first.
   */
  readonly webhookCertificates?: WebhookIssuanceArgs;
  /** How cert-manager issues and renews them, and how long to wait for it. Default: they are signed here. */
  readonly webhookRotation?: WebhookRotation & Pick<Placement, "deadlineSeconds">;
  /**
   * Reads what the cluster has: a change of CAs after which the API server would not trust a webhook that runs is refused.
   * Default: nothing is compared.
   */
  readonly deployedWebhooks?: () => Promise<readonly DeployedWebhook[]>;
  /** Names the one change of CAs that is let through, as its refusal says it. Default: none. */
  readonly acceptOutage?: string;
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
 * The serving certificates of the webhooks of one namespace, as the Secrets that they mount. Each of their CAs is an ECDSA
 * P-256 CA for ten years; they are the same whoever issues the certificates, so the API server trusts the old and the new
 * ones when that changes. The webhooks reload their files, so neither a reissue nor a renewal restarts anything.
 */
export class WebhookCertificates<S extends string> extends pulumi.ComponentResource {
  /** How the API server comes to trust each webhook, by Service. */
  public readonly trust: Readonly<Record<S, pulumi.Output<WebhookTrust>>>;
  /** The certificates, by Service; undefined where cert-manager issues them, so that no deployment knows them. */
  public readonly certPems?: Readonly<Record<S, pulumi.Output<string>>>;
  /** The CAs that the API server trusts, by generation; undefined where cert-manager renews the CA. */
  public readonly caPems?: Readonly<Record<string, pulumi.Output<string>>>;
  /** Rejects where a change of CAs is refused. Await it in a preview, which runs no hooks; `up` ends with the refusal. */
  public readonly changeChecked: Promise<void>;

  public constructor(name: string, args: WebhookCertificatesArgs<S>, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:WebhookCertificates", name, {}, opts);

    const { namespace, services, webhookRotation: rotation, webhookCertificates = {}, cluster } = args;
    const former = cluster.adopt?.webhookCas;
    const isRenewed = rotation?.caRotation !== undefined;
    throwInputProblems(
      `WebhookCertificates ${name}`,
      within("webhookCertificates", [
        ...within("cas", webhookCaListProblems(webhookCertificates.cas)),
        ...check("signingCa", webhookCertificates.signingCa, COUNT),
        ...signingCaProblems(webhookCertificates, isRenewed),
      ]),
    );
    const { cas, signingCa } = webhookCas(webhookCertificates);
    const made = cas.map((generation) => ({ ...this.ca(name, generation, namespace), generation }));
    const certPems = made.map(({ certPem }) => certPem);
    const signer = made.find(({ generation }) => generation === signingCa);
    if (signer === undefined) {
      throw new TypeError("the CA that signs is one of those that are trusted");
    }
    const gate = isRenewed
      ? undefined
      : webhookGate(this, `${name}-cas`, {
          namespace,
          cas,
          signingCa,
          certPems,
          read: args.deployedWebhooks,
          acceptOutage: args.acceptOutage,
          former,
        });
    this.changeChecked = gate?.checked ?? Promise.resolve();
    if (rotation === undefined) {
      const overlap =
        former === undefined
          ? undefined
          : webhookOverlap(
              `${name}-overlap`,
              { namespace, services, caPem: signer.certPem, cluster },
              { parent: this, dependsOn: gate?.gate },
            );
      this.certPems = byService(services, (service) =>
        this.sign(name, service, signer, args, gate, overlap ?? gate?.gate),
      );
    } else {
      this.rotate(name, signer, args, rotation, gate);
    }
    if (!isRenewed) {
      this.caPems = Object.fromEntries(made.map(({ generation, certPem }) => [generation, certPem]));
    }
    const trusted = former === undefined ? certPems : [...certPems, pulumi.output(former)];
    const [only = trustBundle([]), ...more] = trusted;
    const bundle = more.length === 0 ? only : trustBundle(trusted);
    this.trust = byService(services, (service) =>
      isRenewed
        ? pulumi.interpolate`${namespace}/${service}`.apply((injectCaFrom) => ({ injectCaFrom }))
        : bundle.apply((caBundle) => ({ caBundle })),
    );
    this.registerOutputs({ trust: this.trust, certPems: this.certPems, caPems: this.caPems });
  }

  /** The CA of a generation. The first one has none in its names and its subject: it is older than generations. */
  private ca(name: string, generation: number, namespace: pulumi.Input<string>): Signer {
    const prefix = generation === FIRST_CA ? `${name}-ca` : `${name}-ca-${generation}`;
    const key = new tls.PrivateKey(
      `${prefix}-key`,
      { algorithm: "ECDSA", ecdsaCurve: "P256" },
      { parent: this },
    );
    const subject = {
      commonName: pulumi.output(namespace).apply(caName),
      ...serialNumberOf(generation),
    };
    return selfSignedCa(this, prefix, { key, subject, validityHours: CA_VALIDITY_HOURS });
  }

  private sign(
    name: string,
    service: S,
    signer: Signer,
    args: WebhookCertificatesArgs<S>,
    gate: WebhookGate | undefined,
    before: pulumi.Resource | undefined,
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
      hooks: gate && { beforeCreate: [gate.beforeIssue] },
    });
    const resource = `${name}-${service}-secret`;
    new k8s.core.v1.Secret(
      resource,
      {
        metadata: { name: webhookSecret(service), namespace, annotations: TAKEOVER_ANNOTATIONS },
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
        // What the API server would not trust is refused before it is written.
        dependsOn: before,
        ...takeover({
          name: resource,
          resource: `${name}-${service}-certificate`,
          handover,
          cluster,
        }),
      },
    );
    return certPem;
  }

  private rotate(
    name: string,
    ca: NumberedSigner,
    { namespace, services, cluster }: WebhookCertificatesArgs<S>,
    { caRotation, deadlineSeconds, ...given }: NonNullable<WebhookIssuance["webhookRotation"]>,
    gate: WebhookGate | undefined,
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
      {
        parent: this,
        // What the API server would not trust is refused before it is written.
        dependsOn: gate?.gate,
        ...(caRotation && { ignoreChanges: ["data", "stringData"] }),
      },
    );
    const issuer = objects.issuer(
      `${name}-issuer`,
      WEBHOOK_CA,
      { ca: { secretName: ISSUER_SECRET } },
      // The specification has the Secret's name, and no output of it.
      caRotation === undefined
        ? secret
        : renewedCa(name, namespace, { ...caRotation, generation: ca.generation }, objects, secret),
    );
    const certificates = services.map((service) =>
      objects.certificate(
        `${name}-${service}-certificate`,
        service,
        {
          secretName: webhookSecret(service),
          ...renewal(rotation),
          issuerRef: issuerRef({ name: WEBHOOK_CA }),
          commonName: dnsName(service, namespace),
          dnsNames: [dnsName(service, namespace), nameByCertManager(dnsName(service, namespace))],
          // cert-manager does not reissue when the Issuer's Secret holds another CA, but does for another subject.
          ...(ca.generation !== FIRST_CA && {
            subject: { serialNumber: signerSerial(ca) },
          }),
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
  { generation, ...rotation }: Rotation & Pick<NumberedSigner, "generation">,
  objects: CertManagerObjects,
  secret: k8s.core.v1.Secret,
): pulumi.Resource {
  const commonName = pulumi.output(namespace).apply(caName);
  const selfSigned = objects.issuer(`${name}-ca-issuer`, CA_ISSUER, { selfSigned: {} });
  const issued = objects.certificate(
    `${name}-ca-renewal`,
    WEBHOOK_CA,
    {
      secretName: ISSUER_SECRET,
      ...renewal(rotation),
      issuerRef: issuerRef({ name: CA_ISSUER }),
      commonName,
      ...(generation !== FIRST_CA && { subject: serialNumberOf(generation) }),
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

/** Tells the CAs of a namespace apart. */
function serialNumberOf(generation: number): { serialNumber: string } | undefined {
  return generation === FIRST_CA ? undefined : { serialNumber: String(generation) };
}

function dnsName(service: string, namespace: pulumi.Input<string>): pulumi.Output<string> {
  return pulumi.interpolate`${service}.${namespace}.svc`;
}

/** Name of the Secret that a webhook mounts; it is fixed in the charts. */
export function webhookSecret(service: string): string {
  return `${service}-k8s-tls`;
}

function byService<S extends string, T>(services: readonly S[], value: (service: S) => T): Record<S, T> {
  // Object.fromEntries forgets the names.
  return Object.fromEntries(services.map((service) => [service, value(service)])) as Record<S, T>;
}
