import { createPrivateKey, X509Certificate } from "node:crypto";

import { IssuanceArgs, ProvidedIssuer } from "../components";
import {
  ConfigReader,
  COUNT,
  describe,
  DNS_LABEL,
  isConfigSecret,
  NAMESPACE,
  Properties,
  setCommand,
} from "./reader";

/** One trust anchor. */
export interface TrustAnchorConfig extends IssuanceArgs {
  /** Goes into resource names, so that adding or removing an anchor renames no other. */
  readonly id: string;
  /** PEM of an anchor whose key is kept elsewhere. */
  readonly certificate?: string;
}

/** Key `trustAnchors`. */
export function readTrustAnchors(reader: ConfigReader, provided: boolean): TrustAnchorConfig[] {
  const anchors = reader.json("trustAnchors") ?? [{ id: "primary" }];
  if (!Array.isArray(anchors) || anchors.length === 0) {
    reader.problem(
      `${NAMESPACE}:trustAnchors`,
      "must be a list of at least one anchor",
      `is ${describe("trustAnchors", anchors)}`,
      setCommand("trustAnchors[0].id", "primary"),
    );
    return [];
  }
  const ids = new Set<string>();
  return anchors.map((anchor: unknown, index) => {
    const checked = readTrustAnchor(reader, anchor, `trustAnchors[${index}]`, provided);
    if (ids.has(checked.id)) {
      reader.invalid(`trustAnchors[${index}].id`, "must be unique", checked.id, `${checked.id}-${index}`);
    }
    ids.add(checked.id);
    return checked;
  });
}

function readTrustAnchor(
  reader: ConfigReader,
  value: unknown,
  key: string,
  provided: boolean,
): TrustAnchorConfig {
  const anchor = reader.object(value, key, ["id", "generation", "validityHours", "certificate"]);
  if (anchor === undefined) {
    return { id: key };
  }
  const { id, certificate } = anchor;
  const validId = typeof id === "string" && DNS_LABEL.test(id);
  if (!validId) {
    reader.invalid(`${key}.id`, "must be a DNS label, as a string", id, "primary");
  }
  if (certificate !== undefined) {
    checkCa(reader, `${key}.certificate`, certificate, "ca.crt");
    refuseIssuance(reader, anchor, key, "the certificate is given");
  } else if (provided) {
    const rule = "must be set with certificates=provided";
    const path = `${key}.certificate`;
    reader.problem(`${NAMESPACE}:${path}`, rule, "is missing", setCommand(path, "< ca.crt"));
  }
  return {
    id: validId ? id : key,
    certificate: typeof certificate === "string" ? certificate : undefined,
    generation: reader.property(anchor, key, "generation", COUNT),
    validityHours: reader.property(anchor, key, "validityHours", COUNT),
  };
}

/** Key `signingAnchor`. */
export function readSigningAnchor(
  reader: ConfigReader,
  anchors: readonly TrustAnchorConfig[],
  provided: boolean,
): string {
  const chosen = reader.text("signingAnchor") ?? (anchors.length === 1 ? anchors[0]?.id : undefined);
  const anchor = anchors.find(({ id }) => id === chosen);
  const ids = anchors.map(({ id }) => id).join(", ");
  if (anchor === undefined && (chosen !== undefined || !provided)) {
    if (anchors.length > 0) {
      const rule = `must be one of the trust anchors (${ids})`;
      reader.invalid("signingAnchor", rule, chosen, anchors[0]?.id ?? "");
    }
  } else if (anchor?.certificate !== undefined && !provided) {
    const rule = "must be an anchor without a certificate, whose key is here";
    reader.invalid("signingAnchor", rule, chosen, "<id>");
  }
  return chosen ?? "";
}

/** Keys `issuer` and `webhookCertificates`. */
export function readIssuance(
  reader: ConfigReader,
  key: "issuer" | "webhookCertificates",
  provided = false,
): IssuanceArgs {
  const object = reader.object(reader.json(key) ?? {}, key, ["generation", "validityHours"]) ?? {};
  if (provided) {
    refuseIssuance(reader, object, key, "certificates=provided");
  }
  return {
    generation: reader.property(object, key, "generation", COUNT),
    validityHours: reader.property(object, key, "validityHours", COUNT),
  };
}

function refuseIssuance(reader: ConfigReader, object: Properties, key: string, reason: string): void {
  for (const property of ["generation", "validityHours"]) {
    const path = `${key}.${property}`;
    if (object[property] !== undefined) {
      const found = `is ${describe(path, object[property])}`;
      reader.superfluous(path, `must not be set where ${reason}`, found);
    }
  }
}

/** Keys `issuerCertificate` and `issuerKey`. */
export function readProvidedIssuer(reader: ConfigReader, provided: boolean): ProvidedIssuer | undefined {
  const certificate = reader.text("issuerCertificate");
  const key = reader.text("issuerKey");
  if (!provided) {
    for (const [name, value] of Object.entries({ issuerCertificate: certificate, issuerKey: key })) {
      if (value !== undefined) {
        const fullKey = `${NAMESPACE}:${name}`;
        const rule = "must be set only with certificates=provided";
        reader.problem(fullKey, rule, "is set", `pulumi config rm ${fullKey}`);
      }
    }
    return undefined;
  }

  const rule = "must be set with certificates=provided";
  const setKey = `pulumi config set --secret ${NAMESPACE}:issuerKey < issuer.key`;
  if (certificate === undefined) {
    const setCertificate = setCommand("issuerCertificate", "< issuer.crt");
    reader.problem(`${NAMESPACE}:issuerCertificate`, rule, "is missing", setCertificate);
  }
  if (key === undefined) {
    reader.problem(`${NAMESPACE}:issuerKey`, rule, "is missing", setKey);
  } else if (!isConfigSecret("issuerKey")) {
    reader.problem(`${NAMESPACE}:issuerKey`, "must be a secret", "is in plaintext", setKey);
  }
  const issuer = certificate && checkCa(reader, "issuerCertificate", certificate, "issuer.crt");
  if (issuer && key !== undefined) {
    const found = keyProblem(issuer, key);
    if (found !== undefined) {
      const keyRule = "must be the PEM of the issuer certificate's private key";
      reader.problem(`${NAMESPACE}:issuerKey`, keyRule, found, setKey);
    }
  }
  const privateKey = reader.secret("issuerKey");
  return certificate !== undefined && privateKey !== undefined ? { certificate, privateKey } : undefined;
}

function checkCa(
  reader: ConfigReader,
  key: string,
  value: unknown,
  file: string,
): X509Certificate | undefined {
  const complain = (found: string): void => {
    const rule = "must be the PEM of one CA certificate";
    reader.problem(`${NAMESPACE}:${key}`, rule, found, setCommand(key, `< ${file}`));
  };
  if (typeof value !== "string" || (value.match(/-----BEGIN /g) ?? []).length !== 1) {
    complain("holds none, or several PEM blocks");
    return undefined;
  }
  try {
    const certificate = new X509Certificate(value);
    if (!certificate.ca) {
      complain("the certificate is not a CA (basic constraints)");
    }
    return certificate;
  } catch {
    complain("it cannot be parsed");
    return undefined;
  }
}

function keyProblem(certificate: X509Certificate, keyPem: string): string | undefined {
  try {
    return certificate.checkPrivateKey(createPrivateKey(keyPem))
      ? undefined
      : "belongs to another certificate";
  } catch {
    // The message might quote the key.
    return "it cannot be parsed";
  }
}
