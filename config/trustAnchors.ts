import { IssuanceArgs, MeshTrustAnchor } from "../components";
import {
  checkTrustAnchor,
  COUNT,
  DNS_LABEL,
  unexpected,
  VALIDITY_HOURS,
  WEBHOOK_VALIDITY_HOURS,
  webhookCaListProblems,
} from "../components/rules";
import { checked, checkUnique, list, object, Place, Reading, requiredText, value } from "./reading";

/** File from which an anchor's certificate is set. */
export const ANCHOR_FILE = "ca.crt";

/** Properties that say how a CA is issued. */
const ISSUANCE = { generation: value(COUNT), validityHours: value(VALIDITY_HOURS) };

/** How the issuer is issued. */
export const readIssuance = object(ISSUANCE);

/** How the webhooks' certificates are issued, and by which CA. */
export const readWebhookIssuance = object({
  ...ISSUANCE,
  validityHours: value(WEBHOOK_VALIDITY_HOURS),
  cas: checked<readonly number[]>(webhookCaListProblems),
  signingCa: value(COUNT),
});

const readProperties = object({
  id: requiredText({ ...DNS_LABEL, example: "primary" }),
  ...ISSUANCE,
  certificate: readCertificate,
});

const readList = list(
  "must be a list of at least one anchor",
  { path: "id", to: "primary" },
  readTrustAnchor,
);

/** Trust anchors, in the order of the trust bundle. */
export const readTrustAnchors: Reading<MeshTrustAnchor[]> = (place) => {
  const anchors = readList(place);
  if (Array.isArray(place.value) && place.value.length === 0) {
    place.report({
      path: "",
      rule: "must be a list of at least one anchor",
      found: { value: place.value },
      fixes: [{ set: "[0].id", to: "primary" }],
    });
  }
  const ids = anchors.map(({ id }) => id);
  checkUnique(place, "id", ids, "must be unique", (id, index) => `${id}-${index}`);
  return anchors;
};

function readTrustAnchor(place: Place): MeshTrustAnchor | undefined {
  const anchor = readProperties(place);
  if (anchor?.certificate !== undefined) {
    refuseIssuance(place, anchor, "the certificate is given");
  }
  return anchor;
}

function readCertificate(place: Place): string | undefined {
  if (place.value === undefined) {
    return undefined;
  }
  const pem = typeof place.value === "string" ? place.value : "";
  const { problems, warnings } = checkTrustAnchor(pem);
  place.report(...problems.map((problem) => ({ ...problem, fixes: [{ set: "", fromFile: ANCHOR_FILE }] })));
  place.warn(...warnings);
  return pem;
}

/** Reports how a certificate is issued, where it is not. `reason` continues "must not be set where". */
export function refuseIssuance(place: Place, issuance: IssuanceArgs, reason: string): void {
  for (const property of ["generation", "validityHours"] as const) {
    const found = issuance[property];
    if (found !== undefined) {
      place.report(unexpected(property, `must not be set where ${reason}`, { value: found }));
    }
  }
}
