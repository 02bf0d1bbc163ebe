import { X509Certificate } from "node:crypto";

import * as pulumi from "@pulumi/pulumi";

import { settled } from "../cluster/settled";
import { PlannedTrust } from "./deployedTrust";
import { IssuanceArgs } from "./keyGeneration";
import { WebhookCas } from "./webhookCas";
import { setCas } from "./webhookChange";

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
  /** The commands that replace it once it has expired. Default: `remedy`. */
  readonly recovery?: string;
}

/** What to do with a trust anchor. */
export const ROTATE_ANCHOR = 'rotate it: docs/operations.md, "Rotating the trust anchor"';

/**
 * The commands for a trust anchor that has expired, which no proxy trusts any more: another one signs in its place, or it
 * is removed from the bundle.
 *
 * @param index Its place in `trustAnchors`.
 */
export function replaceAnchor(
  { trustAnchors, signingAnchor }: Pick<PlannedTrust, "trustAnchors" | "signingAnchor">,
  index: number,
): string {
  const id = trustAnchors[index]?.id ?? "";
  const remove = `pulumi config rm --path 'linkerd-mtls:trustAnchors[${index}]'`;
  if (id !== signingAnchor) {
    return remove;
  }
  const other = trustAnchors.find(({ id: one, certificate }) => one !== id && certificate === undefined)?.id;
  const next = other ?? nextId(id);
  return [
    other === undefined
      ? `pulumi config set --path 'linkerd-mtls:trustAnchors[${index}].id' ${next}`
      : remove,
    `pulumi config set linkerd-mtls:signingAnchor ${next}`,
  ].join("\n    ");
}

/** What to do with a CA of the webhooks. */
export const ROTATE_WEBHOOK_CA = 'rotate it: docs/operations.md, "Rotating the CAs of the webhooks"';

/** The commands for a CA of the webhooks that has expired: another one signs in its place, or it is no longer trusted. */
export function replaceWebhookCa({ cas, signingCa }: WebhookCas, generation: number): string {
  const others = cas.filter((other) => other !== generation);
  const next = others.at(-1) ?? generation + 1;
  return setCas(
    generation === signingCa
      ? { cas: [...new Set([...others, next])], signingCa: next }
      : { cas: others, signingCa },
  )
    .join("\n")
    .trim();
}

/** An id that follows another one. A number alone would be one in the stack's file, and no text. */
function nextId(id: string): string {
  const [, name = id, count = "1"] = /^(.+)-(\d+)$/.exec(id) ?? [];
  return `${name}-${Number(count) + 1}`;
}

/** The command that reissues a certificate. */
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
 * Warns of certificates that are near their end, and refuses to go on with one that has expired, in a preview too. Those
 * that the deployment is about to replace are not known in a preview, and new after it.
 *
 * @throws RunError that names everything that has expired, since when, and the step that replaces it.
 */
export async function watchExpiry(watched: readonly WatchedCertificate[], now?: Date): Promise<void> {
  const expired: string[] = [];
  await Promise.all(
    watched.map(async ({ what, certPem, remedy, recovery = remedy }) => {
      // What cannot be made is an error of its own.
      const pem = await settled(certPem).catch(() => undefined);
      if (pem === undefined) {
        return;
      }
      const validity = validityOf(pem);
      const at = now ?? new Date();
      if (validity.notAfter <= at) {
        expired.push(`  ${what} has expired on ${validity.notAfter.toISOString()}\n    ${recovery}`);
      } else if (isNearEnd(validity, at)) {
        await pulumi.log.warn(`${what} ${describe(validity, at)}\n    ${remedy}`);
      }
    }),
  );
  if (expired.length > 0) {
    throw new pulumi.RunError(
      [
        "Certificates have expired, and this change does not replace them " +
          '(docs/operations.md, "Recovery"):',
        ...expired.sort(),
      ].join("\n"),
    );
  }
}

/** How long a PEM certificate is valid. */
export function validityOf(pem: string): Validity {
  const { validFrom, validTo } = new X509Certificate(pem);
  return { notBefore: new Date(validFrom), notAfter: new Date(validTo) };
}

function describe({ notBefore, notAfter }: Validity, now: Date): string {
  const left = notAfter.getTime() - now.getTime();
  const share = Math.floor((100 * left) / (notAfter.getTime() - notBefore.getTime()));
  return `expires on ${notAfter.toISOString()}: ${share}% of its lifetime is left`;
}
