import { type CaCertificate, parseCertificates } from "../../components/certificates/certificateFile";
import { LINKERD_NAMESPACE } from "../../components/controlPlane/linkerdNamespace";
import { IDENTITY_ISSUER_SECRET } from "../../components/pki/identityIssuer";
import { TRUST_ROOTS, TRUST_ROOTS_KEY } from "../../components/trustManager/trustRoots";
import { secretOf } from "../../components/controlPlane/webhookServers";
import { lifeOf } from "./life";
import type { PodLeaf } from "./leaf";
import { checkProxies } from "./proxies";
import type { Snapshot } from "./snapshot";

/** A certificate, and those that it has signed. */
export interface Link {
  readonly subject: string;
  /** The objects that have it. */
  readonly places: readonly string[];
  /** Identifier of its key, where it says. */
  readonly keyId?: string;
  /** Identifier of the key that signed it, where it says. */
  readonly signerKeyId?: string;
  /** Who signed it: a subject, or `itself`; undefined where nobody here did. */
  readonly signedBy?: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** What is left of its life. */
  readonly life: string;
  readonly signed: readonly Link[];
}

/** Who signed whom, and the pods that trust something else. */
export interface Chain {
  /** From each trust anchor to the issuer, and to the certificate of a pod where one was asked for. */
  readonly identity: readonly Link[];
  /** From each CA that the API server has to the webhooks and tap. */
  readonly servers: readonly Link[];
  /** Pods that have not converged to the trust bundle, by owner; undefined where they were not asked for. */
  readonly pods?: readonly string[];
  /** What could not be read as certificates. */
  readonly unreadable: readonly string[];
}

/** A certificate, and the object that has it. */
interface Placed {
  readonly certificate: CaCertificate;
  readonly places: readonly string[];
}

/** What more to show. */
export interface ChainQuestion {
  /** Whether the pods are listed that have not converged. */
  readonly withPods?: boolean;
  /** What a pod showed of its identity. */
  readonly leaf?: PodLeaf;
}

/** All certificates of a mesh, as trees of who signed whom. */
export function chainOf(snapshot: Snapshot, { withPods = false, leaf }: ChainQuestion = {}): Chain {
  const { mesh, servers, now, withSecrets } = snapshot;
  const unreadable: string[] = [];
  const read = (pem: string, place: string): Placed[] => {
    const certificates = parseCertificates(pem);
    if (typeof certificates === "string") {
      unreadable.push(`${place}: ${certificates}`);
      return [];
    }
    return certificates.map((certificate) => ({ certificate, places: [place] }));
  };
  const present = servers.filter(({ live }) => live !== undefined);
  const anchors = read(
    mesh.trustRoots?.data?.[TRUST_ROOTS_KEY] ?? "",
    `ConfigMap ${LINKERD_NAMESPACE}/${TRUST_ROOTS}`,
  );
  const issuers = withSecrets
    ? read(mesh.issuerPem, `Secret ${LINKERD_NAMESPACE}/${IDENTITY_ISSUER_SECRET}`)
    : [];
  const cas = present.flatMap(({ live, kind, name }) => read(live?.caBundle ?? "", `${kind} ${name}`));
  const leaves = present.flatMap(({ certificatePem, namespace, ...server }) =>
    certificatePem === undefined ? [] : read(certificatePem, `Secret ${namespace}/${secretOf(server)}`),
  );
  const proxy = leaf === undefined ? [] : read(leaf.certificates, `Pod ${leaf.namespace}/${leaf.name}`);
  return {
    identity: forest(anchors, [...issuers, ...proxy], now),
    servers: forest(cas, leaves, now),
    ...(withPods && {
      pods: checkProxies(snapshot).checks.flatMap(({ found = [] }) => found),
    }),
    unreadable,
  };
}

/** Whether each certificate is valid now and signed by one above it, and each pod trusts the bundle. */
export function isConverged({ identity, servers, pods = [], unreadable }: Chain, now: Date): boolean {
  const isGood = ({ signedBy, notBefore, notAfter, signed }: Link): boolean =>
    signedBy !== undefined && notBefore <= now && now < notAfter && signed.every(isGood);
  return pods.length === 0 && unreadable.length === 0 && [...identity, ...servers].every(isGood);
}

/** Trees below what is trusted, followed by what none of it has signed. */
function forest(trusted: readonly Placed[], others: readonly Placed[], now: Date): Link[] {
  const roots = unique(trusted);
  const all = unique([...trusted, ...others]);
  const reached = new Set<Placed>();
  const link = (placed: Placed, signedBy: string | undefined): Link => {
    reached.add(placed);
    const { certificate, places } = placed;
    const below = all.filter(
      (other) => other !== placed && !reached.has(other) && other.certificate.isSignedBy(certificate),
    );
    return {
      // A proxy's has none.
      subject: certificate.subject === "" ? certificate.dnsNames.join(", ") : certificate.subject,
      places,
      keyId: certificate.keyId,
      signerKeyId: certificate.signerKeyId,
      signedBy,
      notBefore: certificate.notBefore,
      notAfter: certificate.notAfter,
      life: lifeOf(certificate, now).description,
      signed: below.map((other) => link(other, certificate.subject)),
    };
  };
  // The places of a root are those of all that have it.
  const tops = all.filter(({ certificate }) => roots.some((root) => root.certificate.equals(certificate)));
  const trees = tops.map((top) =>
    link(top, top.certificate.isSignedBy(top.certificate) ? "itself" : top.certificate.issuer),
  );
  const orphans = all.filter((placed) => !reached.has(placed)).map((placed) => link(placed, undefined));
  return [...trees, ...orphans];
}

/** Each certificate once, with all of its places. */
function unique(certificates: readonly Placed[]): Placed[] {
  const found: Placed[] = [];
  for (const { certificate, places } of certificates) {
    const index = found.findIndex((other) => other.certificate.equals(certificate));
    const known = found[index];
    if (known === undefined) found.push({ certificate, places });
    else found[index] = { certificate, places: [...known.places, ...places] };
  }
  return found;
}
