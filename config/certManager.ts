import { MeshRotation, Rotation, WebhookRotation } from "../components";
import {
  CERT_MANAGER_NAMESPACE,
  COUNT,
  DEFAULT_CERT_MANAGER_DEADLINE_SECONDS,
  DNS_LABEL,
  DNS_NAME,
  DURATION,
  FLAG,
  IDENTITY_ROTATION,
  text,
  TRUST_MANAGER_NAMESPACE,
  unexpected,
  WEBHOOK_CA_ROTATION,
  WEBHOOK_ROTATION,
} from "../components/rules";
import { object, Place, requiredText, value } from "./reading";

const namespace = (example: string) => value({ ...DNS_LABEL, rule: "must be a DNS label", example });
const rotation = { duration: value(DURATION), renewBefore: value(DURATION) };

const readCertManagerProperties = object({
  install: value(FLAG),
  namespace: namespace(CERT_MANAGER_NAMESPACE),
  highAvailability: value(FLAG),
  deadlineSeconds: value(COUNT),
});

/** cert-manager, installed here or by something else. */
export function readCertManager(place: Place) {
  const properties = readCertManagerProperties(place);
  return (
    properties && {
      install: properties.install ?? true,
      namespace: properties.namespace ?? CERT_MANAGER_NAMESPACE,
      highAvailability: properties.highAvailability ?? false,
      deadlineSeconds: properties.deadlineSeconds ?? DEFAULT_CERT_MANAGER_DEADLINE_SECONDS,
    }
  );
}

const readTrustManagerProperties = object({
  enabled: value(FLAG),
  install: value(FLAG),
  namespace: namespace(TRUST_MANAGER_NAMESPACE),
});

/** trust-manager, installed here or by something else. */
export function readTrustManager(place: Place) {
  const properties = readTrustManagerProperties(place);
  return (
    properties && {
      enabled: properties.enabled ?? false,
      install: properties.install ?? true,
      namespace: properties.namespace ?? TRUST_MANAGER_NAMESPACE,
    }
  );
}

const readIssuerRef = object({
  name: requiredText(DNS_NAME),
  kind: value(text("must be the name of a kind", /^[A-Z][A-Za-z0-9]*$/, "ClusterIssuer")),
  group: value(DNS_NAME),
});

const readIdentityProperties = object({ ...rotation, issuerRef: readIssuerRef });

/** How cert-manager issues Linkerd's identity issuer. */
export function readRotatingIdentity(place: Place): (Rotation & MeshRotation["identity"]) | undefined {
  const properties = readIdentityProperties(place);
  return properties && { ...complete(properties, IDENTITY_ROTATION), issuerRef: properties.issuerRef };
}

const readWebhookProperties = object({
  enabled: value(FLAG),
  ...rotation,
  caInjection: value(FLAG),
  caDuration: value(DURATION),
  caRenewBefore: value(DURATION),
});

/** How cert-manager issues the webhooks' certificates, where it does. */
export function readRotatingWebhooks(
  place: Place,
): { readonly enabled: boolean; readonly rotation: Rotation & WebhookRotation } | undefined {
  const properties = readWebhookProperties(place);
  if (properties === undefined) {
    return undefined;
  }
  const { enabled = true, caInjection = false, caDuration, caRenewBefore } = properties;
  for (const [property, set] of Object.entries(caInjection ? {} : { caDuration, caRenewBefore })) {
    if (set !== undefined) {
      const rule = "must be set only with caInjection, without which the CA lasts ten years";
      place.report(unexpected(property, rule, "is set"));
    }
  }
  const caRotation = complete({ duration: caDuration, renewBefore: caRenewBefore }, WEBHOOK_CA_ROTATION);
  return {
    enabled,
    rotation: { ...complete(properties, WEBHOOK_ROTATION), ...(caInjection && { caRotation }) },
  };
}

function complete({ duration, renewBefore }: Partial<Rotation>, fallback: Rotation): Rotation {
  return {
    duration: duration ?? fallback.duration,
    renewBefore: renewBefore ?? fallback.renewBefore,
  };
}
