import { Problem } from "../validation/problem";
import type { CaCertificate } from "./certificateFile";

/** What the rules say of a certificate that is provided. */
export interface CertificateFindings {
  readonly problems: readonly Problem[];
  /** What is valid today and soon will not be. */
  readonly warnings: readonly string[];
}

/** What a CA is checked for. */
export interface CaRules {
  readonly role: "anchor" | "between" | "issuer";
  /** CA certificates below it, the proxies' own not counted. */
  readonly below: number;
  readonly now: Date;
}

/** Kinds of key that Linkerd takes; for its issuer only the first. https://linkerd.io/2/tasks/generate-certificates/ */
const KEY_KINDS = ["ECDSA P-256", "RSA 2048", "RSA 4096"];
const SIGNATURE_KINDS = ["ECDSA with SHA-256", "RSA with SHA-256"];

/** Purposes of the certificates of proxies, which are servers and clients. */
const PURPOSES: Readonly<Record<string, string>> = {
  "1.3.6.1.5.5.7.3.1": "server authentication",
  "1.3.6.1.5.5.7.3.2": "client authentication",
};
/** Go takes it for every purpose. The proxy does not, and looks at the purposes of all but anchors. */
const ANY_PURPOSE = "2.5.29.37.0";

/**
 * Critical extensions that Linkerd's proxy (rustls-webpki 0.103) knows: key usage, subject alternative name, basic
 * constraints, name constraints, CRL distribution points, extended key usage. It does not look at those of anchors; Go
 * does, and knows policies too.
 */
const KNOWN_TO_PROXY = ["15", "17", "19", "30", "31", "37"].map((number) => `2.5.29.${number}`);
const KNOWN_TO_GO = [...KNOWN_TO_PROXY, "2.5.29.32"];

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/** No deployment should begin that may outlive its certificates. */
const LEAST_REMAINING_MS = HOUR_MS;
/** `linkerd check` warns of 60 days, which for a short-lived certificate would be always. */
const WARN_REMAINING_MS = 60 * DAY_MS;
const WARN_SHARE_OF_LIFETIME = 1 / 5;

/** @param index Place in a chain, to tell its certificates apart. */
export function checkCa(ca: CaCertificate, { role, below, now }: CaRules, index = 0): CertificateFindings {
  const which = index === 0 ? "" : `certificate ${index + 1} (${ca.subject}) `;
  const problems: Problem[] = [];
  const report = (rule: string, found: string): void => {
    problems.push({ path: "", rule, found: which + found });
  };
  if (ca.flaw !== undefined) {
    report("must be readable by Go, in which Linkerd is written", ca.flaw);
  }
  if (!ca.isCa) {
    report("must be a CA (basic constraints)", "is none");
  }
  if (!ca.maySign) {
    report("must have the key usage certificate signing", "has others only");
  }
  const missing = missingPurposes(ca, role);
  if (missing.length > 0) {
    const rule = `must have the extended key usages ${Object.values(PURPOSES).join(" and ")}, or none at all`;
    report(rule, `lacks ${missing.join(" and ")}`);
  }
  const [known, reader] = role === "anchor" ? [KNOWN_TO_GO, "Go"] : [KNOWN_TO_PROXY, "Linkerd's proxy"];
  const unknown = ca.criticalExtensions.filter((extension) => !known.includes(extension));
  if (unknown.length > 0) {
    report(`must have no critical extension that ${reader} does not know`, `has ${unknown.join(", ")}`);
  }
  if (ca.nameConstraints?.isKnown === false) {
    report("must have name constraints of DNS, IP, email and URI names only", "has others");
  }
  if (ca.pathLength < below) {
    report(`must allow ${below} CA below it (path length)`, `allows ${ca.pathLength}`);
  }
  const keyKinds = role === "issuer" ? KEY_KINDS.slice(0, 1) : KEY_KINDS;
  if (!keyKinds.includes(ca.keyKind)) {
    report(`must use ${keyKinds.join(" or ")} for its public key`, `uses ${ca.keyKind}`);
  }
  // For an anchor `linkerd check` knows an RSA key with an RSA signature only.
  const onlyRsa = role === "anchor" && ca.keyKind.startsWith("RSA");
  const signatureKinds = onlyRsa ? SIGNATURE_KINDS.slice(1) : SIGNATURE_KINDS;
  if (!signatureKinds.includes(ca.signatureKind)) {
    report(`must be signed by ${signatureKinds.join(" or ")}`, `is signed by ${ca.signatureKind}`);
  }
  const { problem, warning } = checkValidity(ca, now);
  if (problem !== undefined) {
    report(problem.rule, problem.found);
  }
  return { problems, warnings: warning === undefined ? [] : [which + warning] };
}

function missingPurposes({ purposes }: CaCertificate, role: CaRules["role"]): string[] {
  if (purposes === undefined || (role === "anchor" && purposes.includes(ANY_PURPOSE))) {
    return [];
  }
  return Object.entries(PURPOSES).flatMap(([purpose, name]) => (purposes.includes(purpose) ? [] : name));
}

function checkValidity(
  { notBefore, notAfter }: CaCertificate,
  now: Date,
): { problem?: { readonly rule: string; readonly found: string }; warning?: string } {
  const remaining = notAfter.getTime() - now.getTime();
  const lifetime = notAfter.getTime() - notBefore.getTime();
  if (notBefore > now) {
    return {
      problem: { rule: "must be valid now", found: `is not valid before ${isoTime(notBefore)}` },
    };
  }
  if (remaining < 0) {
    return { problem: { rule: "must be valid now", found: `expired on ${isoTime(notAfter)}` } };
  }
  if (remaining < LEAST_REMAINING_MS) {
    const rule = "must be valid for another hour at least";
    return { problem: { rule, found: `expires on ${isoTime(notAfter)}` } };
  }
  if (remaining < Math.min(WARN_REMAINING_MS, lifetime * WARN_SHARE_OF_LIFETIME)) {
    const left =
      remaining < 2 * DAY_MS
        ? `${Math.floor(remaining / HOUR_MS)} hours`
        : `${Math.floor(remaining / DAY_MS)} days`;
    return { warning: `expires on ${isoTime(notAfter)}, in ${left}` };
  }
  return {};
}

/** Without the milliseconds, which certificates do not have. */
export function isoTime(date: Date): string {
  return date.toISOString().replace(".000Z", "Z");
}
