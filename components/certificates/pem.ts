import { createHash } from "node:crypto";

/** SHA-256 of a text, lower-case hex. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** A PEM text that ends with exactly one newline, which the tls provider, files and people disagree about. */
export function normalizePem(pem: string): string {
  return `${pem.trim()}\n`;
}

/** Several PEM texts as one. */
export function joinPems(pems: readonly string[]): string {
  return pems.map(normalizePem).join("");
}
