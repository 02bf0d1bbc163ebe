import * as pulumi from "@pulumi/pulumi";

import { LINKERD_NAMESPACE, VIZ_NAMESPACE } from "./controlPlane/linkerdNamespace";
import { LinkerdViz } from "./extensions/linkerdViz";
import { LinkerdMeshArgs } from "./linkerdMeshArgs";
import { CertificateSummary, summarize } from "./pki/certificateSummary";
import { PlannedTrust } from "./pki/deployedTrust";
import {
  reissue,
  replaceAnchor,
  replaceWebhookCa,
  ROTATE_ANCHOR,
  ROTATE_WEBHOOK_CA,
  WatchedCertificate,
} from "./pki/expiry";
import { webhookCas } from "./pki/webhookCas";
import { WebhookCertificates } from "./pki/webhookCertificates";

/** Certificates that the deployment knows, for the outputs of a stack. */
export interface MeshCertificates {
  /** By id. */
  readonly trustAnchors: Readonly<Record<string, pulumi.Output<CertificateSummary>>>;
  /** Undefined where cert-manager issues it. */
  readonly issuer?: pulumi.Output<CertificateSummary>;
  /** By the webhook's Service; without those that cert-manager issues. */
  readonly webhookCertificates: Readonly<Record<string, pulumi.Output<CertificateSummary>>>;
  /** The CAs of the webhooks by their namespace and generation; without those that cert-manager renews. */
  readonly webhookCas: Readonly<Record<string, Readonly<Record<string, pulumi.Output<CertificateSummary>>>>>;
}

type CertPem = pulumi.Output<string>;

/** PEMs of the certificates that the deployment knows. */
export interface MeshPems {
  /** By id. */
  readonly anchors: Readonly<Record<string, CertPem>>;
  /** Undefined where cert-manager issues it. */
  readonly issuer?: CertPem;
  /** By the webhook's Service. */
  readonly webhooks: Readonly<Record<string, CertPem>>;
  /** By namespace and generation. */
  readonly webhookCas: Readonly<Record<string, Readonly<Record<string, CertPem>>>>;
}

/** What the webhooks of the control plane and of viz have. */
export function webhookPems(
  controlPlane: Pick<WebhookCertificates<string>, "certPems" | "caPems">,
  viz: Pick<LinkerdViz, "certPems" | "caPems"> | undefined,
): Pick<MeshPems, "webhooks" | "webhookCas"> {
  return {
    webhooks: { ...controlPlane.certPems, ...viz?.certPems },
    webhookCas: {
      ...(controlPlane.caPems && { [LINKERD_NAMESPACE]: controlPlane.caPems }),
      ...(viz?.caPems && { [VIZ_NAMESPACE]: viz.caPems }),
    },
  };
}

/** What may be shown of them. */
export function summaries({ anchors, issuer, webhooks, webhookCas }: MeshPems): MeshCertificates {
  return {
    trustAnchors: mapValues(anchors, summarize),
    ...(issuer && { issuer: summarize(issuer) }),
    webhookCertificates: mapValues(webhooks, summarize),
    webhookCas: mapValues(webhookCas, (cas) => mapValues(cas, summarize)),
  };
}

/** What a CA of the webhooks is called. */
function webhookCaName(namespace: string, generation: string): string {
  return `CA ${generation} of the webhooks in ${namespace}`;
}

/** What a trust anchor is called. */
function anchorName(id: string): string {
  return `trust anchor ${id}`;
}

/** All of them but the issuer, by what they are called. */
export function namedPems({ anchors, webhooks, webhookCas }: MeshPems): Readonly<Record<string, CertPem>> {
  return Object.fromEntries([
    ...Object.entries(anchors).map(([id, pem]) => [anchorName(id), pem] as const),
    ...Object.entries(webhookCas).flatMap(([namespace, cas]) =>
      Object.entries(cas).map(([generation, pem]) => [webhookCaName(namespace, generation), pem] as const),
    ),
    ...Object.entries(webhooks),
  ]);
}

/**
 * Those whose end is watched here, each with the step that replaces it. The configuration's own check watches what is
 * provided.
 */
export function watchedCertificates(
  { anchors, issuer, webhooks, webhookCas: cas }: MeshPems,
  args: LinkerdMeshArgs,
  planned: PlannedTrust,
): WatchedCertificate[] {
  const caPlan = webhookCas(args.webhookCertificates);
  return [
    ...planned.trustAnchors.flatMap(({ id, certificate }, index) => {
      const certPem = anchors[id];
      return certPem === undefined || certificate !== undefined
        ? []
        : [
            {
              what: anchorName(id),
              certPem,
              remedy: ROTATE_ANCHOR,
              recovery: replaceAnchor(planned, index),
            },
          ];
    }),
    ...(issuer === undefined || args.providedIssuer !== undefined
      ? []
      : [{ what: "the issuer", certPem: issuer, remedy: reissue("issuer", args.issuer) }]),
    ...Object.entries(webhooks).map(([service, certPem]) => ({
      what: `the certificate of ${service}`,
      certPem,
      remedy: reissue("webhookCertificates", args.webhookCertificates),
    })),
    ...Object.entries(cas).flatMap(([namespace, generations]) =>
      Object.entries(generations).map(([generation, certPem]) => ({
        what: webhookCaName(namespace, generation),
        certPem,
        remedy: ROTATE_WEBHOOK_CA,
        recovery: replaceWebhookCa(caPlan, Number(generation)),
      })),
    ),
  ];
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, value: (item: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, item]) => [key, value(item)]));
}
