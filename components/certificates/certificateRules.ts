import { Problem } from "../validation/problem";
import { CertificateFindings, checkCa } from "./caRules";
import { CaCertificate, parseCertificates } from "./certificateFile";
import { checkNameConstraints, checkSignatures, findOutlived } from "./chainRules";

export { CaCertificate } from "./certificateFile";
export { checkAnchorKey, checkIssuerKey } from "./privateKey";

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

/** Checks the PEM of a trust anchor by the rules of Linkerd (linkerd2, pkg/issuercerts) and of its proxy. */
export function checkTrustAnchor(pem: string, now = new Date()): AnchorFindings {
  const certificates = parseCertificates(pem);
  const [anchor] = certificates;
  if (typeof certificates === "string" || !(anchor instanceof CaCertificate) || certificates.length > 1) {
    const found = typeof certificates === "string" ? certificates : `it has ${certificates.length}`;
    return { problems: [{ path: "", rule: "must be the PEM of one CA certificate", found }], warnings: [] };
  }
  return { anchor, ...checkCa(anchor, { role: "anchor", below: 1, now }) };
}

/** What an issuer is checked against. */
export interface IssuerSurroundings {
  /** The trust bundle; undefined while it is not known as a whole: then it is not looked for the signer. */
  readonly anchors: readonly CaCertificate[] | undefined;
  /** Undefined while it is not known: then the issuer's name is not checked. */
  readonly trustDomain: string | undefined;
}

/**
 * Checks the PEM of an issuer by the rules of Linkerd and of its proxy. It may be followed by the certificates between it
 * and its trust anchor, each of which signed the one before, and by the anchor.
 */
export function checkIssuer(
  pem: string,
  { anchors, trustDomain }: IssuerSurroundings,
  now = new Date(),
): IssuerFindings {
  const certificates = parseCertificates(pem);
  const [issuer] = certificates;
  if (typeof certificates === "string" || !(issuer instanceof CaCertificate)) {
    const rule = "must be the PEM of the issuer's certificate, followed by those between it and its anchor";
    const found = typeof certificates === "string" ? certificates : "it has none";
    return { problems: [{ path: "", rule, found }], warnings: [] };
  }
  const chain = { certificates, anchors };
  const findings = certificates.map((certificate, below) => {
    // An anchor that ends the chain has been checked as such.
    const isAnchor = below > 0 && anchors?.some((anchor) => anchor.equals(certificate)) === true;
    return isAnchor
      ? { problems: [], warnings: [] }
      : checkCa(certificate, { role: below === 0 ? "issuer" : "between", below, now }, below);
  });
  const name = trustDomain === undefined ? undefined : `identity.linkerd.${trustDomain}`;
  const problems = [
    ...findings.flatMap((finding) => finding.problems),
    ...(name === undefined ? [] : checkName(issuer, name)),
    ...checkSignatures(chain),
    ...(name === undefined ? [] : checkNameConstraints(chain, name)),
  ];
  const warnings = findings.flatMap((finding) => finding.warnings);
  return { issuer, problems, warnings: [...warnings, ...findOutlived(chain)] };
}

/** As `linkerd install` names an issuer where it is given no trust domain (linkerd2, cli/cmd/options.go). */
const NAME_BY_CLI = "identity.linkerd.";

/** Linkerd does not look; an issuer with another name was most likely made for another mesh. */
function checkName({ names }: CaCertificate, name: string): Problem[] {
  if (names.includes(name) || names.includes(NAME_BY_CLI)) {
    return [];
  }
  const rule = `must have the DNS name ${name} (subject alternative name, or common name where there is none)`;
  return [{ path: "", rule, found: `has ${names.join(", ") || "none"}` }];
}
