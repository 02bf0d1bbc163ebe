import { type CaCertificate, parseCertificates } from "../../components/certificates/certificateFile";
import { checkIssuer, checkTrustAnchor } from "../../components/certificates/certificateRules";
import { LINKERD_NAMESPACE } from "../../components/controlPlane/linkerdNamespace";
import { DEFAULT_TRUST_DOMAIN } from "../../components/pki/deployedTrust";
import { IDENTITY_ISSUER_SECRET, identityIssuerName } from "../../components/pki/identityIssuer";
import { TRUST_ROOTS, TRUST_ROOTS_KEY } from "../../components/trustManager/trustRoots";
import { describe, valid } from "./certificateCheck";
import { checkIssuerInUse } from "./issuerInUse";
import { lifeOf } from "./life";
import { type Check, check, type Group } from "./model";
import { checkServerCertificate } from "./serverCertificates";
import type { Snapshot } from "./snapshot";

/** Checks the trust anchors, the issuer, and the certificates with which the API server is answered. */
export function checkCertificates(snapshot: Snapshot): Group {
  const { mesh, servers, withSecrets } = snapshot;
  const anchors = parseCertificates(mesh.trustRoots?.data?.[TRUST_ROOTS_KEY] ?? "");
  if (typeof anchors === "string") {
    const what = `ConfigMap ${LINKERD_NAMESPACE}/${TRUST_ROOTS} has the trust bundle`;
    const found = mesh.trustRoots === undefined ? "is not there" : `${TRUST_ROOTS_KEY}: ${anchors}`;
    return { group: "certificates", checks: [check(what, [found], "absent")] };
  }
  return {
    group: "certificates",
    checks: [
      ...anchors.map((anchor) => checkAnchor(anchor, snapshot.now)),
      ...(withSecrets ? checkIssuerSecret(anchors, snapshot) : [skipped("issuer", IDENTITY_ISSUER_SECRET)]),
      checkIssuerInUse(snapshot),
      ...servers.flatMap((server) => checkServerCertificate(server, snapshot)),
    ],
  };
}

/** More than the end of a line after the last certificate (linkerd2, pkg/tls/codec.go: `not a PEM certificate`). */
const TEXT_AFTER = /-----END CERTIFICATE-----[ \t]*\r?\n\s+$/;
const EMPTY_LINE = "has an empty line after its last certificate, with which identity does not start";

/** A check of a Secret that was not read. */
function skipped(what: string, secret: string): Check {
  return {
    check: `${what} is valid`,
    result: "skipped",
    note: `Secret ${LINKERD_NAMESPACE}/${secret} is not read`,
  };
}

/** The rules that do not depend on the time are asked of the middle of its validity; for the time there is `lifeOf`. */
function middle({ notBefore, notAfter }: CaCertificate): Date {
  return new Date((notBefore.getTime() + notAfter.getTime()) / 2);
}

function checkAnchor(anchor: CaCertificate, now: Date): Check {
  const { problems } = checkTrustAnchor(anchor.certificate.toString(), middle(anchor));
  return valid(`trust anchor ${anchor.subject} is valid`, problems, lifeOf(anchor, now), "anchor");
}

function checkIssuerSecret(anchors: readonly CaCertificate[], { mesh, now, renewals }: Snapshot): Check[] {
  const certificates = parseCertificates(mesh.issuerPem);
  const [issuer] = certificates;
  if (typeof certificates === "string" || typeof issuer !== "object") {
    const found =
      typeof certificates === "string" && mesh.issuerPem !== "" ? certificates : "is not there, or has none";
    const secret = `Secret ${LINKERD_NAMESPACE}/${IDENTITY_ISSUER_SECRET}`;
    return [check(`${secret} has the issuer's certificate`, [found], "reissue")];
  }
  const trustDomain = mesh.values.identityTrustDomain ?? DEFAULT_TRUST_DOMAIN;
  const { problems, warnings } = checkIssuer(
    mesh.issuerPem,
    // Linkerd takes an issuer of any name.
    { anchors, trustDomain: undefined },
    middle(issuer),
  );
  const life = lifeOf(issuer, now, renewals[`${LINKERD_NAMESPACE}/${IDENTITY_ISSUER_SECRET}`]);
  const named = checkIssuer(mesh.issuerPem, { anchors, trustDomain }, middle(issuer)).problems;
  const names = named.filter(({ rule }) => !problems.some((other) => other.rule === rule));
  return [
    valid(
      `issuer ${issuer.subject} is valid, and signed by a trust anchor`,
      [...describe(problems), ...(TEXT_AFTER.test(mesh.issuerPem) ? [EMPTY_LINE] : [])],
      life,
      "reissue",
    ),
    check("issuer ends before the anchor that signed it", warnings, "anchor", "warning"),
    check(
      `issuer is made for the trust domain ${trustDomain}`,
      describe(names),
      "reissue",
      // What is left then is a name constraint, by which no proxy takes it.
      issuer.names.includes(identityIssuerName(trustDomain)) ? "error" : "warning",
    ),
  ];
}
