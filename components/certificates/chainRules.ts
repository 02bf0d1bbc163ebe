import { Problem } from "../validation/problem";
import { isoTime } from "./caRules";
import type { CaCertificate } from "./certificateFile";

/** An issuer may end this much after its anchor, as one does that is made after it for the same number of days. */
const TOLERANCE_MS = 60 * 60 * 1000;

/** A chain, from the issuer on, with what signs it. */
export interface Chain {
  readonly certificates: readonly CaCertificate[];
  /** The trust bundle; undefined while it is not known as a whole: then it is not looked for the signer. */
  readonly anchors: readonly CaCertificate[] | undefined;
}

/** Whether each certificate signed the one before it, and an anchor one of them. */
export function checkSignatures({ certificates, anchors }: Chain): Problem[] {
  for (const [index, certificate] of certificates.slice(1).entries()) {
    const signed = certificates[index];
    if (signed !== undefined && !signed.isSignedBy(certificate)) {
      const rule = "must have each certificate followed by the one that signed it";
      const found = `certificate ${index + 2} (${certificate.subject}) did not sign certificate ${index + 1} (${signed.subject})`;
      return [{ path: "", rule, found }];
    }
  }
  const last = certificates.at(-1);
  if (last === undefined || anchors === undefined || findTrusted({ certificates, anchors }) !== undefined) {
    return [];
  }
  const signers = anchors.filter((anchor) => last.isSignedBy(anchor));
  if (signers.length > 0) {
    const longest = Math.max(...signers.map(({ pathLength }) => pathLength));
    const rule = `must be no longer than its trust anchor allows (path length ${longest})`;
    // An anchor that allows not even the issuer is a problem of its own.
    return longest < 1 ? [] : [{ path: "", rule, found: `has ${certificates.length} certificates` }];
  }
  const namesake = anchors.find(({ subject }) => subject === last.issuer);
  const rule = "must be signed by a trust anchor of the bundle";
  return [{ path: "", rule, found: describeSigner(last, namesake, anchors) }];
}

/** The part of a chain that matters, up to the anchor; undefined where none is trusted. */
interface Trusted {
  readonly certificates: readonly CaCertificate[];
  readonly anchor: CaCertificate;
}

/** Others may follow what an anchor signed, such as the anchor itself. */
function findTrusted({ certificates, anchors = [] }: Chain): Trusted | undefined {
  for (const [index, certificate] of certificates.entries()) {
    const own = anchors.find((anchor) => anchor.equals(certificate));
    const signers = anchors.filter((anchor) => anchor.pathLength > index && certificate.isSignedBy(anchor));
    // The one that is trusted longest.
    const [signer] = signers.sort((a, b) => b.notAfter.getTime() - a.notAfter.getTime());
    const anchor = own ?? signer;
    if (anchor !== undefined) {
      return { certificates: certificates.slice(0, own === undefined ? index + 1 : index), anchor };
    }
  }
  return undefined;
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

/** Whether the name constraints of all its CAs allow the names of the issuer, of other CAs and of proxies. */
export function checkNameConstraints(chain: Chain, issuerName: string): Problem[] {
  const { certificates, anchor } = findTrusted(chain) ?? { certificates: chain.certificates };
  const all = anchor === undefined ? certificates : [...certificates, anchor];
  for (const [index, { nameConstraints, subject }] of all.entries()) {
    const names = all.slice(0, index).flatMap(({ dnsNames }) => dnsNames);
    const barred = names.find((name) => nameConstraints?.allows(name) === false);
    const proxies = `serviceaccount.${issuerName}`;
    const found = barred ?? (nameConstraints?.allowsBelow(proxies) === false ? `*.*.${proxies}` : undefined);
    if (found !== undefined) {
      const rule =
        "must have its names, and those of proxies, allowed by the name constraints of the CAs above";
      return [{ path: "", rule, found: `${subject} does not allow ${found}` }];
    }
  }
  return [];
}

/** What ends before that which it signed; from then on no proxy trusts another. */
export function findOutlived(chain: Chain): string[] {
  const trusted = findTrusted(chain);
  if (trusted === undefined) {
    return [];
  }
  const [issuer] = chain.certificates;
  const above = [...trusted.certificates.slice(1), trusted.anchor];
  const [first] = above.sort((a, b) => a.notAfter.getTime() - b.notAfter.getTime());
  if (issuer === undefined || first === undefined) {
    return [];
  }
  return issuer.notAfter.getTime() - first.notAfter.getTime() > TOLERANCE_MS
    ? [
        `expires on ${isoTime(issuer.notAfter)}, and ${first.subject} above it on ${isoTime(first.notAfter)}: ` +
          "no proxy trusts it from then on",
      ]
    : [];
}
