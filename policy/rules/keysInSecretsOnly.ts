import { leaves } from "../known";
import { nameOf, type Resource, type Rule } from "../rule";

const PRIVATE_KEY = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----/;

/** How base64 of a PEM text begins. */
const BASE64_OF_PEM = "LS0tLS1CRUdJTi";

/** A private key is in a Secret or is an argument of the tls provider, and nowhere else: not in Helm values or ConfigMaps. */
export const keysInSecretsOnly: Rule = {
  name: "keys-in-secrets-only",
  description: "A private key must not be outside a Secret.",
  enforcementLevel: "mandatory",
  properties: {},
  violations: (resource) =>
    leaves(resource.props)
      .filter(({ path, value }) => holdsKey(value) && !isPlaceOfKeys(resource, path))
      .map(
        ({ path }) =>
          `${nameOf(resource)} has a private key in ${path.join(".")}, which is no Secret: everybody who may read the object ` +
          "has the key. Put the key into a Secret, refer to that, and issue a new key, because this one has been seen.",
      ),
};

function holdsKey(value: unknown): boolean {
  if (typeof value !== "string") return false;
  return PRIVATE_KEY.test(
    value.startsWith(BASE64_OF_PEM) ? Buffer.from(value, "base64").toString("latin1") : value,
  );
}

/** Where keys belong: the contents of a Secret, and what the tls provider signs with, which Pulumi keeps as a secret. */
function isPlaceOfKeys({ type }: Resource, [first = ""]: readonly string[]): boolean {
  return /^kubernetes:core\/v1:Secret(Patch)?$/.test(type)
    ? ["data", "stringData"].includes(first)
    : type.startsWith("tls:index/") && /privateKey/i.test(first);
}
