import type { RollSettings } from "../../components/rolls/rollSettings";
import { type WebhookCas, webhookCas, type WebhookIssuanceArgs } from "../../components/pki/webhookCas";
import { anchorsOf } from "../shared/stackFile";

/** Prefix of the program's keys. */
const PREFIX = "linkerd-mtls:";

/** Full keys that a rotation reads or edits. */
export const TRUST = {
  source: `${PREFIX}certificates`,
  anchors: `${PREFIX}trustAnchors`,
  signer: `${PREFIX}signingAnchor`,
  anchorKey: `${PREFIX}trustAnchorKey`,
  issuer: `${PREFIX}issuer`,
  issuerCertificate: `${PREFIX}issuerCertificate`,
  issuerKey: `${PREFIX}issuerKey`,
  webhooks: `${PREFIX}webhookCertificates`,
} as const;

/** Those that a rotation edits. */
export const EDITED: readonly string[] = Object.values(TRUST).filter((key) => key !== TRUST.source);

/** An item of the key `trustAnchors`, as far as a rotation reads it. */
export interface Anchor {
  readonly id: string;
  readonly generation?: number;
  readonly validityHours?: number;
  readonly certificate?: string;
}

/** What a stack's file says about trust. */
export interface Configuration {
  /** Key `certificates`. */
  readonly source: "generated" | "provided" | "cert-manager";
  readonly anchors: readonly Anchor[];
  /** id of the anchor that signs; of the first one where key `signingAnchor` is not set. */
  readonly signer: string;
  readonly trustDomain: string;
  /** How often the issuer and the webhooks' certificates were issued, from 1. */
  readonly generations: { readonly issuer: number; readonly webhooks: number };
  /** PEM of a provided issuer. */
  readonly issuerCertificate?: string;
  /** Whether the signing anchor has a certificate and its key is configured. */
  readonly hasAnchorKey: boolean;
  /** CAs of the webhooks. */
  readonly webhookCas: WebhookCas;
  /** PEMs of CAs of others that the API server goes on to trust for the webhooks, where the mesh was taken over. */
  readonly formerCas?: string;
  /** Workloads of others that each deployment rolls when they lack the trust bundle. */
  readonly rolled: RollSettings["workloads"];
  /** What cert-manager issues, and whether it renews the CA; with an issuer of others nothing is signed here. */
  readonly certManager: {
    readonly issuerRef: boolean;
    readonly webhooks: boolean;
    readonly webhookCa: boolean;
  };
}

/** Reads it from the values of a stack's file, by full key. What the program would refuse is read as if it were absent. */
export function readConfiguration(values: Readonly<Record<string, unknown>>): Configuration {
  const text = (name: string): string | undefined => {
    const value = values[PREFIX + name];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const property = (name: string, key: string): unknown =>
    (values[PREFIX + name] as Readonly<Record<string, unknown>> | undefined)?.[key];
  const generation = (name: string): number => Number(property(name, "generation") ?? 1);
  const listed = anchorsOf(values);
  const anchors = (listed.length === 0 ? [{ id: "primary" }] : listed).map(
    (anchor) => ({ ...anchor, id: String(anchor.id) }) as Anchor,
  );
  const source = (text("certificates") ?? "generated") as Configuration["source"];
  const byCertManager = source === "cert-manager";
  const issuesWebhooks = byCertManager && property("rotatingWebhooks", "enabled") !== false;
  return {
    source,
    anchors,
    signer: text("signingAnchor") ?? anchors[0]?.id ?? "",
    trustDomain: text("trustDomain") ?? "cluster.local",
    generations: { issuer: generation("issuer"), webhooks: generation("webhookCertificates") },
    issuerCertificate: text("issuerCertificate"),
    webhookCas: webhookCas(values[TRUST.webhooks] as WebhookIssuanceArgs | undefined),
    formerCas: property("adopt", "webhookCas") as string | undefined,
    rolled: (property("rolls", "workloads") ?? []) as Configuration["rolled"],
    hasAnchorKey: values[TRUST.anchorKey] !== undefined,
    certManager: {
      issuerRef: byCertManager && property("rotatingIdentity", "issuerRef") !== undefined,
      webhooks: issuesWebhooks,
      webhookCa: issuesWebhooks && property("rotatingWebhooks", "caInjection") === true,
    },
  };
}
