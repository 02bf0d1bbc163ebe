import {
  CaCertificate,
  CertificateProblem,
  checkIssuer,
  checkIssuerKey,
  checkTrustAnchor,
  IssuanceArgs,
  ProvidedIssuer,
} from "../components";
import {
  ConfigReader,
  COUNT,
  describe,
  DNS_LABEL,
  DNS_NAME,
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

const CERTIFICATE_FILES = { anchor: "ca.crt", issuer: "issuer.crt" } as const;
const SET_ISSUER_KEY = `pulumi config set --secret ${NAMESPACE}:issuerKey < issuer.key`;

/** Key `trustAnchors`. Each must have its certificate where there is a reason, e.g. "with certificates=provided". */
export function readTrustAnchors(reader: ConfigReader, provided: string | undefined): TrustAnchorConfig[] {
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
  provided: string | undefined,
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
    const path = `${key}.certificate`;
    const { problems, warnings } = checkTrustAnchor(typeof certificate === "string" ? certificate : "");
    complain(reader, path, problems, setCommand(path, `< ${CERTIFICATE_FILES.anchor}`));
    warn(reader, path, warnings);
    refuseIssuance(reader, anchor, key, "the certificate is given");
  } else if (provided !== undefined) {
    const rule = `must be set ${provided}`;
    const path = `${key}.certificate`;
    reader.problem(
      `${NAMESPACE}:${path}`,
      rule,
      "is missing",
      setCommand(path, `< ${CERTIFICATE_FILES.anchor}`),
    );
  }
  return {
    id: validId ? id : key,
    certificate: typeof certificate === "string" ? certificate : undefined,
    generation: reader.property(anchor, key, "generation", COUNT),
    validityHours: reader.property(anchor, key, "validityHours", COUNT),
  };
}

/** Key `signingAnchor`. `provided`: no anchor signs here. */
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
  } else if (anchor?.certificate !== undefined && !provided && reader.text("trustAnchorKey") === undefined) {
    const rule = "must be an anchor without a certificate, whose key is here";
    reader.invalid("signingAnchor", rule, chosen, "<id>");
  }
  return chosen ?? "";
}

/** Keys `issuer` and `webhookCertificates`; refused where there is a reason, e.g. "certificates=provided". */
export function readIssuance(
  reader: ConfigReader,
  key: "issuer" | "webhookCertificates",
  provided?: string,
): IssuanceArgs {
  const object = reader.object(reader.json(key) ?? {}, key, ["generation", "validityHours"]) ?? {};
  if (provided !== undefined) {
    refuseIssuance(reader, object, key, provided);
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

/** Keys `issuerCertificate` and `issuerKey`, checked against the trust bundle. */
export function readProvidedIssuer(
  reader: ConfigReader,
  provided: boolean,
  { trustAnchors, trustDomain }: { trustAnchors: readonly TrustAnchorConfig[]; trustDomain: string },
): ProvidedIssuer | undefined {
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

  const missing = [{ rule: "must be set with certificates=provided", found: "is missing" }];
  const setCertificate = setCommand("issuerCertificate", `< ${CERTIFICATE_FILES.issuer}`);
  const findings =
    certificate === undefined
      ? { problems: missing, warnings: [] }
      : checkIssuer(certificate, {
          anchors: readable(trustAnchors),
          trustDomain: DNS_NAME.test(trustDomain) ? trustDomain : undefined,
        });
  complain(reader, "issuerCertificate", findings.problems, setCertificate);
  warn(reader, "issuerCertificate", findings.warnings);
  if (key === undefined) {
    complain(reader, "issuerKey", missing, SET_ISSUER_KEY);
  } else if (!isConfigSecret("issuerKey")) {
    complain(reader, "issuerKey", [{ rule: "must be a secret", found: "is in plaintext" }], SET_ISSUER_KEY);
  }
  if (key !== undefined) {
    complain(reader, "issuerKey", checkIssuerKey(key, findings.issuer), SET_ISSUER_KEY);
  }
  const privateKey = reader.secret("issuerKey");
  return certificate !== undefined && privateKey !== undefined ? { certificate, privateKey } : undefined;
}

/** The trust bundle; undefined where a part of it is missing or cannot be read, which is a problem of its own. */
function readable(trustAnchors: readonly TrustAnchorConfig[]): readonly CaCertificate[] | undefined {
  const anchors = trustAnchors.map(({ certificate }) => certificate && checkTrustAnchor(certificate).anchor);
  const read = anchors.filter((anchor) => anchor instanceof CaCertificate);
  return read.length === trustAnchors.length ? read : undefined;
}

function complain(
  reader: ConfigReader,
  key: string,
  problems: readonly CertificateProblem[],
  command: string,
): void {
  for (const { rule, found } of problems) {
    reader.problem(`${NAMESPACE}:${key}`, rule, found, command);
  }
}

function warn(reader: ConfigReader, key: string, warnings: readonly string[]): void {
  for (const warning of warnings) {
    reader.warn(`${NAMESPACE}:${key} ${warning}`);
  }
}
