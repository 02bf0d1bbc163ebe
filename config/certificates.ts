import { LinkerdMeshArgs, MeshTrustAnchor, ProvidedIssuer } from "../components";
import {
  CaCertificate,
  checkIssuer,
  checkIssuerKey,
  checkTrustAnchor,
  DNS_NAME,
  Problem,
  signingCaProblems,
  unexpected,
} from "../components/rules";
import { ConfigStack } from "./keys";
import { checkGeneratedIssuer, checkProvidedIssuer } from "./lifetimes";
import { issuanceLifetime, readRotation } from "./rotation";
import { readSigningAnchor, readTrustAnchorKey } from "./signer";
import { ANCHOR_FILE, refuseIssuance } from "./trustAnchors";

/** The arguments of the mesh about certificates, and who issues them. */
type Certificates = Required<
  Pick<
    LinkerdMeshArgs,
    "trustAnchors" | "signingAnchor" | "issuer" | "issuanceLifetime" | "webhookCertificates"
  >
> &
  Pick<LinkerdMeshArgs, "trustAnchorKey" | "providedIssuer" | "rotation">;

/** The keys about certificates, checked against each other. */
export function readCertificates(stack: ConfigStack): Certificates {
  const { certificates: source, trustAnchors, issuer, webhookCertificates } = stack.settings;
  const provided = source === "provided";
  const rotation = readRotation(stack);
  const issuerRef = rotation?.identity.issuerRef;
  if (provided) {
    requireCertificates(stack, "with certificates=provided");
  } else if (issuerRef !== undefined) {
    requireCertificates(
      stack,
      "where rotatingIdentity.issuerRef names the issuer, which signs with another's key",
    );
  }
  if (source !== "generated") {
    refuseIssuance(stack.at("issuer"), issuer, `certificates=${source}`);
  }
  if (rotation?.webhooks !== undefined) {
    const reason = "cert-manager issues them (rotatingWebhooks)";
    refuseIssuance(stack.at("webhookCertificates"), webhookCertificates, reason);
  }
  const isRenewed = rotation?.webhooks?.caRotation !== undefined;
  stack.at("webhookCertificates").report(...signingCaProblems(webhookCertificates, isRenewed));
  const signedElsewhere = provided || issuerRef !== undefined;
  if (source === "generated") {
    checkGeneratedIssuer(stack);
  }
  return {
    trustAnchors,
    signingAnchor: readSigningAnchor(stack, signedElsewhere),
    trustAnchorKey: readTrustAnchorKey(stack, signedElsewhere),
    issuer,
    issuanceLifetime: issuanceLifetime(stack),
    providedIssuer: readProvidedIssuer(stack, provided),
    webhookCertificates,
    rotation,
  };
}

/** Reports each anchor without a certificate. `reason` continues "must be set". */
function requireCertificates(stack: ConfigStack, reason: string): void {
  for (const [index, { certificate }] of stack.settings.trustAnchors.entries()) {
    if (certificate === undefined) {
      const place = stack.at("trustAnchors").at(`[${index}]`).at("certificate");
      place.report({ ...missing(reason), fixes: [{ set: "", fromFile: ANCHOR_FILE }] });
    }
  }
}

function missing(reason: string): Problem {
  return { path: "", rule: `must be set ${reason}`, found: "is missing" };
}

/** Keys `issuerCertificate` and `issuerKey`, checked against the trust bundle. */
function readProvidedIssuer(stack: ConfigStack, provided: boolean): ProvidedIssuer | undefined {
  const { issuerCertificate: certificate, issuerKey: key, trustAnchors, trustDomain } = stack.settings;
  const places = { certificate: stack.at("issuerCertificate"), key: stack.at("issuerKey") };
  if (!provided) {
    for (const place of Object.values(places).filter((set) => set.value !== undefined)) {
      place.report(unexpected("", "must be set only with certificates=provided", "is set"));
    }
    return undefined;
  }
  const report = (which: keyof typeof places, problems: readonly Problem[]): void => {
    const fixes = [{ set: "", fromFile: which === "key" ? "issuer.key" : "issuer.crt" }];
    places[which].report(...problems.map((problem) => ({ ...problem, fixes })));
  };
  const absent = [missing("with certificates=provided")];
  const isDomain = DNS_NAME.allows(stack.at("trustDomain").value);
  const findings =
    certificate === undefined
      ? { problems: absent, warnings: [] }
      : checkIssuer(certificate, {
          anchors: readable(trustAnchors),
          trustDomain: isDomain ? trustDomain : undefined,
        });
  report("certificate", findings.problems);
  places.certificate.warn(...findings.warnings);
  if (findings.issuer !== undefined) {
    checkProvidedIssuer(stack, findings.issuer);
  }
  if (key === undefined) {
    report("key", absent);
  } else {
    if (!stack.isSecret("issuerKey")) {
      report("key", [{ path: "", rule: "must be a secret", found: "is in plaintext" }]);
    }
    report("key", checkIssuerKey(key, findings.issuer));
  }
  const privateKey = stack.secret("issuerKey");
  return certificate !== undefined && privateKey !== undefined ? { certificate, privateKey } : undefined;
}

/** The trust bundle; undefined where a part of it is missing or cannot be read, which is a problem of its own. */
function readable(trustAnchors: readonly MeshTrustAnchor[]): readonly CaCertificate[] | undefined {
  const anchors = trustAnchors.map(({ certificate }) => certificate && checkTrustAnchor(certificate).anchor);
  const read = anchors.filter((anchor) => anchor instanceof CaCertificate);
  return read.length === trustAnchors.length ? read : undefined;
}
