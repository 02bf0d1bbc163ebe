import { createPrivateKey, X509Certificate } from "node:crypto";

import * as pulumi from "@pulumi/pulumi";

import { TRUST_ANCHOR_VALIDITY_HOURS } from "../components";
import { TrustAnchorConfig } from "./certificates";
import { ConfigReader, isConfigSecret, NAMESPACE } from "./reader";

const HOUR_SECONDS = 3600;

/** For how long an anchor signs: one that is given, from now; one that is made here, in all. */
export function validity({
  id,
  certificate,
  validityHours = TRUST_ANCHOR_VALIDITY_HOURS,
}: TrustAnchorConfig): {
  seconds: number;
  what: string;
} {
  if (certificate === undefined) {
    return { seconds: validityHours * HOUR_SECONDS, what: `the validity of trust anchor ${id}` };
  }
  const left = Date.parse(parse(certificate)?.validTo ?? "") - Date.now();
  // What cannot be parsed has been noted.
  const seconds = Number.isNaN(left) ? Number.POSITIVE_INFINITY : Math.max(0, Math.floor(left / 1000));
  return { seconds, what: `what is left to trust anchor ${id}` };
}

/**
 * Key `trustAnchorKey`, the key of the signing anchor where that has a certificate. `provided`: no anchor signs here.
 */
export function readTrustAnchorKey(
  reader: ConfigReader,
  signer: TrustAnchorConfig | undefined,
  provided: boolean,
): pulumi.Output<string> | undefined {
  const name = "trustAnchorKey";
  const fullKey = `${NAMESPACE}:${name}`;
  const key = reader.text(name);
  if (key === undefined) {
    return undefined;
  }
  if (provided || signer?.certificate === undefined) {
    const rule = "must be set only where the signing anchor has a certificate and signs here";
    reader.problem(fullKey, rule, "is set", `pulumi config rm ${fullKey}`);
    return undefined;
  }
  const setKey = `pulumi config set --secret ${fullKey} < ca.key`;
  if (!isConfigSecret(name)) {
    reader.problem(fullKey, "must be a secret", "is in plaintext", setKey);
  }
  const found = keyProblem(signer.certificate, key);
  if (found !== undefined) {
    reader.problem(fullKey, "must be the PEM of the signing anchor's private key", found, setKey);
  }
  return reader.secret(name);
}

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function keyProblem(certificate: string, keyPem: string): string | undefined {
  try {
    return parse(certificate)?.checkPrivateKey(createPrivateKey(keyPem)) === false
      ? "belongs to another certificate"
      : undefined;
  } catch {
    // The message might quote the key.
    return "it cannot be parsed";
  }
}
