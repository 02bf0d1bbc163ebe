import { X509Certificate } from "node:crypto";

import { runtime } from "@pulumi/pulumi";

/** What stands for a secret; its value is not in the events at all. */
export const SECRET = "(secret)";

/** What stands for a value that only the update can know. */
export const UNKNOWN = "(known during the update)";

/** A text that is longer is cut; what matters of it stands at its beginning. */
const LONGEST = 80;

/** SHA-256, which is compared as a whole. */
const FINGERPRINT = /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/;

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Whether the engine hides this value. */
export function isSecret(value: unknown): boolean {
  return isObject(value) && value[runtime.specialSigKey] === runtime.specialSecretSig;
}

/** A map of properties; neither a list nor a secret. */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return isObject(value) && !Array.isArray(value) && !isSecret(value);
}

/** The value with secrets and unknown values replaced by what stands for them. */
export function readable(value: unknown): unknown {
  if (isSecret(value)) return SECRET;
  if (value === runtime.unknownValue) return UNKNOWN;
  if (Array.isArray(value)) return value.map(readable);
  if (isMap(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, readable(item)]));
  }
  return value;
}

/** The value in one short line. Certificates are told by the beginning of their SHA-256 fingerprints. */
export function inWords(value: unknown): string {
  const plain = readable(value);
  const text = typeof plain === "string" ? withFingerprints(plain) : JSON.stringify(plain);
  const line = text.trim().replaceAll(/\s+/g, " ");
  return line.length > LONGEST && !FINGERPRINT.test(line) ? `${line.slice(0, LONGEST)}...` : line;
}

function withFingerprints(text: string): string {
  return text.replaceAll(CERTIFICATE, (pem) => {
    try {
      return `certificate ${new X509Certificate(pem).fingerprint256.slice(0, 11)}`;
    } catch {
      return "certificate (malformed)";
    }
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
