import { LINKERD_NAMESPACE } from "../../components/controlPlane/linkerdNamespace";
import { reissueTime } from "../../components/pki/expiry";
import { IDENTITY_ISSUER_SECRET } from "../../components/pki/identityIssuer";
import { chainOf, type Link } from "../verify/chain";
import { describeSpan, lifeOf } from "../verify/life";
import type { Result } from "../verify/model";
import type { Snapshot } from "../verify/snapshot";

/** A certificate of the mesh. */
export interface CertificateRow {
  /** What it is for, e.g. `Trust anchor` or `linkerd/tap`; each row has its own. */
  readonly label: string;
  readonly subject: string;
  /** The objects that have it. */
  readonly places: readonly string[];
  /** A subject, or `itself`; undefined where nobody here has signed it. */
  readonly signedBy?: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** When cert-manager renews it; else the time from which it should be reissued. */
  readonly renewal: Date;
  /** Whether cert-manager renews it. */
  readonly isRenewed: boolean;
  readonly result: Exclude<Result, "skipped">;
  /** What is left of its life in words, e.g. `81% of 365 days`. */
  readonly left: string;
}

/** All certificates that were read, each below the one that signed it. */
export interface Certificates {
  readonly rows: readonly CertificateRow[];
  readonly unreadable: readonly string[];
  /** Whether those in Secrets are among them. */
  readonly withSecrets: boolean;
}

/** Reads the certificates of a mesh for people. */
export function certificatesOf(snapshot: Snapshot): Certificates {
  const { identity, servers, unreadable } = chainOf(snapshot);
  const rows = [
    ...identity.flatMap((link) => rowsOf(link, "Trust anchor", snapshot)),
    ...servers.flatMap((link) => rowsOf(link, "CA of webhooks", snapshot)),
  ];
  return { rows: distinct(rows), unreadable, withSecrets: snapshot.withSecrets };
}

const SECRET = "Secret ";
const SERVER_SECRET = /-k8s-tls$/;

/** @param top What a certificate is that is in no Secret. */
function rowsOf(
  link: Link,
  top: string,
  { now, renewals }: Pick<Snapshot, "now" | "renewals">,
): CertificateRow[] {
  const secrets = link.places.flatMap((place) =>
    place.startsWith(SECRET) ? [place.slice(SECRET.length)] : [],
  );
  const renewal = secrets.map((secret) => renewals[secret]).find((time) => time !== undefined);
  const { result } = lifeOf(link, now, renewal);
  const [secret] = secrets;
  const row: CertificateRow = {
    label: link.places.length > secrets.length || secret === undefined ? top : labelOf(secret),
    subject: link.subject,
    places: link.places,
    signedBy: link.signedBy,
    notBefore: link.notBefore,
    notAfter: link.notAfter,
    renewal: renewal ?? reissueTime(link),
    isRenewed: renewal !== undefined,
    result,
    left: leftOf(link, now),
  };
  return [row, ...link.signed.flatMap((signed) => rowsOf(signed, top, { now, renewals }))];
}

function leftOf({ notBefore, notAfter }: Link, now: Date): string {
  if (notAfter <= now) return "expired";
  if (notBefore > now) return "not valid yet";
  const lifetime = notAfter.getTime() - notBefore.getTime();
  const share = (notAfter.getTime() - now.getTime()) / lifetime;
  return `${Math.floor(100 * share)}% of ${describeSpan(lifetime)}`;
}

/** The issuer, or the Service that has the certificate of this Secret. */
function labelOf(secret: string): string {
  return secret === `${LINKERD_NAMESPACE}/${IDENTITY_ISSUER_SECRET}`
    ? "Identity issuer"
    : secret.replace(SERVER_SECRET, "");
}

/** Rows of the same label, counted. */
function distinct(rows: readonly CertificateRow[]): CertificateRow[] {
  const number = new Map<string, number>();
  return rows.map((row) => {
    const count = (number.get(row.label) ?? 0) + 1;
    number.set(row.label, count);
    return rows.filter(({ label }) => label === row.label).length > 1
      ? { ...row, label: `${row.label} ${count}` }
      : row;
  });
}
