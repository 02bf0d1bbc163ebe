import "reflect-metadata";

import { createPrivateKey, webcrypto } from "node:crypto";

import * as x509 from "@peculiar/x509";
import type { Stack } from "@pulumi/pulumi/automation";

x509.cryptoProvider.set(webcrypto as never);

const KEY = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** A resource of an exported state, as far as it matters here. */
interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly inputs?: Record<string, unknown>;
  readonly outputs?: Record<string, unknown>;
}

/** Which certificates, by the end of the name of their resource, e.g. `identity-issuer`. */
export type CertificateName =
  `trust-anchor-${string}` | "identity-issuer" | "webhooks-linkerd-proxy-injector";

/**
 * Replaces certificates in a stack's state by ones of the same key, name and signer that end in some seconds; those of the
 * provider live for an hour at least. The next `up` deploys them.
 *
 * @returns When they end.
 */
export async function shorten(stack: Stack, names: readonly string[], seconds: number): Promise<Date> {
  const exported = await stack.exportStack();
  const { deployment } = exported as { deployment: { resources: StateResource[] } };
  const issued = deployment.resources.filter(({ type }) => type.startsWith("tls:index/"));
  const notAfter = new Date((Math.floor(Date.now() / 1000) + seconds) * 1000);
  for (const name of names) {
    const resource = issued.find(({ urn }) => urn.endsWith(`-${name}-certificate`));
    if (resource?.outputs === undefined) throw new Error(`the state has no certificate ${name}`);
    const { inputs = {}, outputs } = resource;
    const before = String(outputs.certPem);
    const key = plaintext(inputs.caPrivateKeyPem ?? inputs.privateKeyPem);
    const after = await reissued(before, key, notAfter);
    outputs.validityEndTime = notAfter.toISOString().replace(".000Z", "Z");
    // What it has signed was signed by the same key: it must not be signed again.
    for (const { inputs: given = {}, outputs: made = {} } of issued) {
      for (const values of [given, made]) replaceText(values, before, after);
    }
  }
  await stack.importStack(exported);
  return notAfter;
}

function replaceText(values: Record<string, unknown>, before: string, after: string): void {
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === "string") values[name] = value.replace(before, after);
  }
}

/** The text of a secret in an exported state. */
function plaintext(secret: unknown): string {
  const { plaintext: text } = secret as { readonly plaintext: string };
  return String(JSON.parse(text));
}

/** The same certificate with another end. */
async function reissued(pem: string, signingKeyPem: string, notAfter: Date): Promise<string> {
  const { serialNumber, subject, issuer, publicKey, extensions } = new x509.X509Certificate(pem);
  const der = createPrivateKey(signingKeyPem).export({ type: "pkcs8", format: "der" });
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber,
    subject,
    issuer,
    publicKey: await publicKey.export(KEY, ["verify"]),
    extensions,
    signingKey: await webcrypto.subtle.importKey("pkcs8", der, KEY, false, ["sign"]),
    signingAlgorithm: KEY,
    notBefore: new Date(Date.now() - 60_000),
    notAfter,
  });
  return `${certificate.toString("pem")}\n`;
}
