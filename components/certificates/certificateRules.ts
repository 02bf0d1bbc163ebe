import { createPrivateKey } from "node:crypto";

import { Problem } from "../validation/problem";
import { CaCertificate, parseCertificates, pemBlocks } from "./certificateFile";

export { CaCertificate } from "./certificateFile";

/** What the rules say of a certificate that is provided. */
export interface CertificateFindings {
  readonly problems: readonly Problem[];
  /** What is valid today and soon will not be. */
  readonly warnings: readonly string[];
}

/** What the rules say of a trust anchor. */
export interface AnchorFindings extends CertificateFindings {
  /** The anchor, where it could be read. */
  readonly anchor?: CaCertificate;
}

/** What the rules say of an issuer. */
export interface IssuerFindings extends CertificateFindings {
  /** The issuer's own certificate, where it could be read. */
  readonly issuer?: CaCertificate;
}

/** Kinds of key that Linkerd takes; for its issuer only the first. https://linkerd.io/2/tasks/generate-certificates/ */
const KEY_KINDS = ["ECDSA P-256", "RSA 2048", "RSA 4096"];
const SIGNATURE_KINDS = ["ECDSA with SHA-256", "RSA with SHA-256"];

/** Purposes of the certificates of proxies, which are servers and clients. */
const PURPOSES: Readonly<Record<string, string>> = {
  "1.3.6.1.5.5.7.3.1": "server authentication",
  "1.3.6.1.5.5.7.3.2": "client authentication",
};
const ANY_PURPOSE = "2.5.29.37.0";

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/** No deployment should begin that may outlive its certificates. */
const LEAST_REMAINING_MS = HOUR_MS;
/** `linkerd check` warns of 60 days, which for a short-lived certificate would be always. */
const WARN_REMAINING_MS = 60 * DAY_MS;
const WARN_SHARE_OF_LIFETIME = 1 / 5;

/** Checks the PEM of a trust anchor by the rules of Linkerd (linkerd2, pkg/issuercerts). */
export function checkTrustAnchor(pem: string, now = new Date()): AnchorFindings {
  const certificates = parseCertificates(pem);
  const [anchor] = certificates;
  if (typeof certificates === "string" || !(anchor instanceof CaCertificate) || certificates.length > 1) {
    const found = typeof certificates === "string" ? certificates : `it has ${certificates.length}`;
    return { problems: [{ path: "", rule: "must be the PEM of one CA certificate", found }], warnings: [] };
  }
  const { problems, warnings } = checkCa(anchor, { keyKinds: KEY_KINDS, below: 1, now });
  return { anchor, problems, warnings };
}

/** What an issuer is checked against. */
export interface IssuerSurroundings {
  /** The trust bundle; undefined while it is not known as a whole: then it is not looked for the signer. */
  readonly anchors: readonly CaCertificate[] | undefined;
  /** Undefined while it is not known: then the issuer's name is not checked. */
  readonly trustDomain: string | undefined;
}

/**
 * Checks the PEM of an issuer by the rules of Linkerd. It may be followed by the certificates between it and its trust
 * anchor, each of which signed the one before.
 */
export function checkIssuer(
  pem: string,
  { anchors, trustDomain }: IssuerSurroundings,
  now = new Date(),
): IssuerFindings {
  const chain = parseCertificates(pem);
  const [issuer] = chain;
  if (typeof chain === "string" || !(issuer instanceof CaCertificate)) {
    const rule = "must be the PEM of the issuer's certificate, followed by those between it and its anchor";
    const found = typeof chain === "string" ? chain : "it has none";
    return { problems: [{ path: "", rule, found }], warnings: [] };
  }
  const findings = chain.map((certificate, below) =>
    checkCa(certificate, { keyKinds: below === 0 ? KEY_KINDS.slice(0, 1) : KEY_KINDS, below, now }, below),
  );
  const problems = [
    ...findings.flatMap((finding) => finding.problems),
    ...(trustDomain === undefined ? [] : checkName(issuer, `identity.linkerd.${trustDomain}`)),
    ...checkChain(chain, anchors),
  ];
  return { issuer, problems, warnings: findings.flatMap(({ warnings }) => warnings) };
}

/** Checks the PEM of an issuer's private key. Nothing of it is in the answer. */
export function checkIssuerKey(pem: string, issuer: CaCertificate | undefined): Problem[] {
  const rule = "must be the PEM of the issuer certificate's private key";
  const blocks = pemBlocks(pem);
  if (typeof blocks === "string") {
    return [{ path: "", rule, found: blocks }];
  }
  const labels = blocks.map(({ label }) => label);
  const [label = ""] = labels;
  if (labels.length > 1) {
    return [{ path: "", rule, found: `it has ${labels.length} PEM blocks (${labels.join(", ")})` }];
  }
  if (label === "ENCRYPTED PRIVATE KEY" || pem.includes("Proc-Type: 4,ENCRYPTED")) {
    return [{ path: "", rule, found: "it is encrypted with a passphrase" }];
  }
  if (!label.endsWith("PRIVATE KEY")) {
    return [{ path: "", rule, found: `it is a PEM block ${label}` }];
  }
  try {
    const key = createPrivateKey(pem);
    const fits = issuer === undefined || issuer.certificate.checkPrivateKey(key);
    return fits ? [] : [{ path: "", rule, found: "it belongs to another certificate" }];
  } catch {
    // The message might quote the key.
    return [{ path: "", rule, found: "it cannot be parsed" }];
  }
}

interface CaRules {
  readonly keyKinds: readonly string[];
  /** CA certificates below it, the proxies' own not counted. */
  readonly below: number;
  readonly now: Date;
}

/** @param index Place in a chain, to tell its certificates apart. */
function checkCa(ca: CaCertificate, { keyKinds, below, now }: CaRules, index = 0): CertificateFindings {
  const which = index === 0 ? "" : `certificate ${index + 1} (${ca.subject}) `;
  const problems: Problem[] = [];
  const report = (rule: string, found: string): void => {
    problems.push({ path: "", rule, found: which + found });
  };
  if (!ca.isCa) {
    report("must be a CA (basic constraints)", "is none");
  }
  if (!ca.maySign) {
    report("must have the key usage certificate signing", "has others only");
  }
  const { purposes } = ca;
  const missing = Object.keys(PURPOSES).filter((purpose) => !purposes?.includes(purpose));
  if (purposes !== undefined && !purposes.includes(ANY_PURPOSE) && missing.length > 0) {
    const rule = `must have the extended key usages ${Object.values(PURPOSES).join(" and ")}, or none at all`;
    report(rule, `lacks ${missing.map((purpose) => PURPOSES[purpose]).join(" and ")}`);
  }
  if (ca.pathLength < below) {
    report(`must allow ${below} CA below it (path length)`, `allows ${ca.pathLength}`);
  }
  if (!keyKinds.includes(ca.keyKind)) {
    report(`must use ${keyKinds.join(" or ")} for its public key`, `uses ${ca.keyKind}`);
  }
  if (!SIGNATURE_KINDS.includes(ca.signatureKind)) {
    report(`must be signed by ${SIGNATURE_KINDS.join(" or ")}`, `is signed by ${ca.signatureKind}`);
  }
  const { problem, warning } = checkValidity(ca, now);
  if (problem !== undefined) {
    report(problem.rule, problem.found);
  }
  return { problems, warnings: warning === undefined ? [] : [which + warning] };
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

/** Linkerd does not look; an issuer with another name was most likely made for another mesh. */
function checkName({ names }: CaCertificate, name: string): Problem[] {
  if (names.includes(name)) {
    return [];
  }
  const rule = `must have the DNS name ${name} (subject alternative name, or common name where there is none)`;
  return [{ path: "", rule, found: `has ${names.join(", ") || "none"}` }];
}

function checkChain(
  chain: readonly CaCertificate[],
  anchors: readonly CaCertificate[] | undefined,
): Problem[] {
  for (const [index, certificate] of chain.slice(1).entries()) {
    const signed = chain[index];
    if (signed !== undefined && !signed.isSignedBy(certificate)) {
      const rule = "must have each certificate followed by the one that signed it";
      const found = `certificate ${index + 2} (${certificate.subject}) did not sign certificate ${index + 1} (${signed.subject})`;
      return [{ path: "", rule, found }];
    }
  }
  const last = chain.at(-1);
  if (last === undefined || anchors === undefined) {
    return [];
  }
  const signer = anchors.find((anchor) => last.isSignedBy(anchor));
  if (signer !== undefined) {
    // An anchor that allows not even the issuer is a problem of its own.
    const tooLong = chain.length > Math.max(signer.pathLength, 1);
    const rule = `must be no longer than its trust anchor allows (path length ${signer.pathLength})`;
    return tooLong ? [{ path: "", rule, found: `has ${chain.length} certificates` }] : [];
  }
  const namesake = anchors.find(({ subject }) => subject === last.issuer);
  return [
    {
      path: "",
      rule: "must be signed by a trust anchor of the bundle",
      found: describeSigner(last, namesake, anchors),
    },
  ];
}

/** Why none of the anchors signed a certificate; `namesake` is one with the name of its signer. */
function describeSigner(
  { certificate, issuer }: CaCertificate,
  namesake: CaCertificate | undefined,
  anchors: readonly CaCertificate[],
): string {
  if (namesake === undefined) {
    return `was signed by ${issuer}, and the bundle has ${anchors.map(({ subject }) => subject).join(" and ")}`;
  }
  return certificate.verify(namesake.publicKey)
    ? `was signed by ${issuer}, which the bundle has in another encoding`
    : `was signed by another key of ${issuer} than the bundle's`;
}

/** Without the milliseconds, which certificates do not have. */
function isoTime(date: Date): string {
  return date.toISOString().replace(".000Z", "Z");
}
