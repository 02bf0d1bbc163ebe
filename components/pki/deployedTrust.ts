import { X509Certificate } from "node:crypto";

import { sha256 } from "../certificates/pem";
import { RunningTrust } from "./runningTrust";

/** Trust domain where none is configured. */
export const DEFAULT_TRUST_DOMAIN = "cluster.local";

/** What the proxies of a mesh trust now, as it is read from the cluster. */
export interface DeployedTrust {
  /** Trust domain of the control plane; undefined where it does not say. */
  readonly trustDomain?: string;
  /** The trust bundle, without what has expired: nothing trusts that any more. */
  readonly anchors: readonly X509Certificate[];
  /** The issuer and what follows it in its Secret; empty where it has expired. Never its key. */
  readonly issuer: readonly X509Certificate[];
  /** When the issuer's Secret was last written, as far as the cluster says. */
  readonly issuerWritten?: Date;
  /** Since when the issuer has expired. Default: it has not, or there is none. */
  readonly issuerExpired?: Date;
  /** Reads what the pods have, which takes long where there are many. Default: they are not asked. */
  readonly readRunning?: () => Promise<RunningTrust>;
}

/** What is configured, as far as it is known before anything is made. */
export interface PlannedTrust {
  readonly trustDomain: string;
  readonly trustAnchors: readonly {
    readonly id: string;
    readonly generation?: number;
    readonly certificate?: string;
  }[];
  /** id of the anchor that signs the issuer; undefined where none of them signs here. */
  readonly signingAnchor?: string;
  /** Names the one change that is wanted although it cuts traffic: see {@link outageToken}. */
  readonly acceptOutage?: string;
}

/** The certificates in a PEM text that have not expired; what cannot be read as one is left out. */
export function liveCertificates(pem: string, now = new Date()): X509Certificate[] {
  return certificatesIn(pem).filter(({ validTo }) => new Date(validTo) > now);
}

/** When the first certificate of a PEM text has expired; undefined where it has not, or there is none. */
export function expiredSince(pem: string, now = new Date()): Date | undefined {
  const [first] = certificatesIn(pem);
  const end = first && new Date(first.validTo);
  return end !== undefined && end <= now ? end : undefined;
}

function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  return blocks.flatMap((block) => {
    try {
      return [new X509Certificate(block)];
    } catch {
      return [];
    }
  });
}

/** Fingerprints of the certificates in a PEM text that have not expired. */
export function fingerprints(pem: string): ReadonlySet<string> {
  return new Set(liveCertificates(pem).map(({ fingerprint256 }) => fingerprint256));
}

/** Whether two bundles have the same certificates, whatever their order; what has expired does not count. */
export function isSameTrust(one: string, other: string): boolean {
  return isSameSet(fingerprints(one), fingerprints(other));
}

/** Whether two sets have the same elements. */
export function isSameSet(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((each) => other.has(each));
}

/** This many digits tell two changes apart. */
export const TOKEN_DIGITS = 12;

/**
 * Names the change from the trust that is deployed to the one that is configured, and no other: once the change is made,
 * or another one is configured, it has no effect.
 */
export function outageToken(deployed: DeployedTrust, planned: PlannedTrust): string {
  const change = [
    deployed.trustDomain,
    deployed.anchors.map(({ fingerprint256 }) => fingerprint256).sort(),
    planned.trustDomain,
    // An attempt that failed half-way has made the certificate, and is still the same change.
    planned.trustAnchors.map(({ id, generation = 1, certificate = generation }) => [id, certificate]),
    planned.signingAnchor,
  ];
  return sha256(JSON.stringify(change)).slice(0, TOKEN_DIGITS);
}
