import { X509Certificate } from "node:crypto";

import { parseDuration } from "../../components/validation/duration";
import { at, leaves } from "../known";
import { nameOf, type Resource, type Rule } from "../rule";

/** The longest validity of each kind of certificate, in hours. */
interface Settings {
  readonly anchorHours: number;
  readonly issuerHours: number;
  readonly serverHours: number;
  readonly proxyHours: number;
}

/** A certificate, by what it is used for. */
interface Lifetime {
  readonly kind: keyof Settings;
  readonly hours: number;
}

const HOUR_MS = 3_600_000;
const HOUR_SECONDS = 3600;

/** A CA begins a certificate some minutes before it signs it. */
const TOLERANCE_HOURS = 1;

const WHAT: Readonly<Record<keyof Settings, string>> = {
  anchorHours: "a CA that signs itself",
  issuerHours: "a CA that another has signed",
  serverHours: "a certificate that is no CA",
  proxyHours: "the proxies' certificates",
};

const limit = (kind: keyof Settings, hours: number) => ({
  type: "integer" as const,
  minimum: 1,
  description: `Longest validity of ${WHAT[kind]}, in hours.`,
  default: hours,
});

/** No certificate is valid for longer than its kind may be, whether it is generated, provided or issued by cert-manager. */
export const certificateLifetimes: Rule<Settings> = {
  name: "certificate-lifetimes",
  description: "A certificate must not be valid for too long.",
  enforcementLevel: "mandatory",
  properties: {
    anchorHours: limit("anchorHours", 87_600),
    issuerHours: limit("issuerHours", 8760),
    serverHours: limit("serverHours", 8760),
    proxyHours: limit("proxyHours", 24),
  },
  violations: (resource, settings) =>
    [...issued(resource), ...contained(resource)]
      .filter(({ kind, hours }) => hours > settings[kind] + TOLERANCE_HOURS)
      .map(
        ({ kind, hours }) =>
          `${nameOf(resource)} makes or holds ${WHAT[kind]} with a validity of ${Math.floor(hours)} hours; ${settings[kind]} ` +
          `are allowed (${kind}). Shorten validityHours, duration or issuanceLifetime in the stack's configuration, or issue ` +
          "the certificate again.",
      ),
};

/** Certificates that the resource makes. */
function issued({ type, props }: Resource): Lifetime[] {
  const hours = props.validityPeriodHours;
  if (typeof hours === "number") {
    const isSelfSigned = type === "tls:index/selfSignedCert:SelfSignedCert";
    return [{ kind: kindOf(props.isCaCertificate === true, isSelfSigned), hours }];
  }
  if (/^kubernetes:cert-manager\.io\/v1:Certificate$/.test(type)) {
    const isCa = at(props, "spec", "isCA") === true;
    // The issuer of a CA that cert-manager signs for itself is a CA only by its own name.
    const isSelfSigned = /self-?signed/i.test(String(at(props, "spec", "issuerRef", "name")));
    return durationOf(kindOf(isCa, isSelfSigned), at(props, "spec", "duration"));
  }
  return durationOf("proxyHours", at(props, "values", "identity", "issuer", "issuanceLifetime"));
}

function durationOf(kind: keyof Settings, duration: unknown): Lifetime[] {
  const seconds = typeof duration === "string" ? parseDuration(duration) : undefined;
  return seconds === undefined ? [] : [{ kind, hours: seconds / HOUR_SECONDS }];
}

/** Certificates that are in its properties, as text or in base64. */
function contained({ props }: Resource): Lifetime[] {
  return leaves(props).flatMap(({ value }) => {
    const text =
      typeof value === "string" && value.startsWith("LS0tLS1")
        ? Buffer.from(value, "base64").toString()
        : value;
    const pems =
      typeof text === "string"
        ? text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)
        : null;
    return (pems ?? []).flatMap((pem) => lifetimeOf(pem));
  });
}

/** What cannot be read is refused elsewhere: by the program's own rules. */
function lifetimeOf(pem: string): Lifetime[] {
  try {
    const { ca, subject, issuer, validFrom, validTo } = new X509Certificate(pem);
    const hours = (Date.parse(validTo) - Date.parse(validFrom)) / HOUR_MS;
    return [{ kind: kindOf(ca, subject === issuer), hours }];
  } catch {
    return [];
  }
}

function kindOf(isCa: boolean, isSelfSigned: boolean): keyof Settings {
  if (!isCa) return "serverHours";
  return isSelfSigned ? "anchorHours" : "issuerHours";
}
