import { X509Certificate } from "node:crypto";

import * as pulumi from "@pulumi/pulumi";

import { IssuanceArgs } from "./keyGeneration";

const DAY_MS = 24 * 60 * 60 * 1000;

/** When it is time to reissue a certificate. */
export const NEAR_END = {
  /** Below this share of its lifetime, */
  share: 1 / 3,
  /** but not years before the end: an anchor of ten years. */
  mostMs: 180 * DAY_MS,
} as const;

/** How long a certificate is valid. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** A certificate that is made here, which nothing renews. */
export interface WatchedCertificate {
  /** What it is, e.g. `trust anchor 2026`. */
  readonly what: string;
  readonly certPem: pulumi.Input<string>;
  /** The step that replaces it. */
  readonly remedy: string;
}

/** What to do with a trust anchor. */
export const ROTATE_ANCHOR = 'rotate it: docs/operations.md, "Rotating the trust anchor"';

/** The command that has a certificate issued anew. */
export function reissue(
  key: "issuer" | "webhookCertificates",
  { generation = 1 }: IssuanceArgs = {},
): string {
  return `pulumi config set --path linkerd-mtls:${key}.generation ${generation + 1}`;
}

/** When it is time to reissue a certificate. */
export function reissueTime({ notBefore, notAfter }: Validity): Date {
  const lifetime = notAfter.getTime() - notBefore.getTime();
  return new Date(notAfter.getTime() - Math.min(lifetime * NEAR_END.share, NEAR_END.mostMs));
}

/** Whether it is time to reissue a certificate. */
export function isNearEnd(validity: Validity, now: Date): boolean {
  return now > reissueTime(validity);
}

/**
 * Warns, in a preview too, of certificates that are near their end or have expired. Those that the deployment is about to
 * replace are not known in a preview, and new after it.
 */
export function watchExpiry(watched: readonly WatchedCertificate[], now = new Date()): void {
  for (const { what, certPem, remedy } of watched) {
    pulumi.output(certPem).apply(async (pem) => {
      const { validFrom, validTo } = new X509Certificate(pem);
      const validity = { notBefore: new Date(validFrom), notAfter: new Date(validTo) };
      if (isNearEnd(validity, now)) {
        await pulumi.log.warn(`${what} ${describe(validity, now)}\n    ${remedy}`);
      }
    });
  }
}

function describe({ notBefore, notAfter }: Validity, now: Date): string {
  const left = notAfter.getTime() - now.getTime();
  const share = Math.floor((100 * left) / (notAfter.getTime() - notBefore.getTime()));
  return left <= 0
    ? `has expired on ${notAfter.toISOString()}`
    : `expires on ${notAfter.toISOString()}: ${share}% of its lifetime is left`;
}
