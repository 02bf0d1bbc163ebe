import {
  CERT_MANAGER_NAMESPACE,
  DEFAULT_CERT_MANAGER_CHART_SOURCE,
  DEFAULT_CERT_MANAGER_DEADLINE_SECONDS,
  DEFAULT_CERT_MANAGER_VERSION,
  DURATION,
  IDENTITY_ROTATION,
  isRelease,
  IssuerRef,
  parseDuration,
  Rotation,
  RotationLimits,
  rotationProblems,
  WEBHOOK_CA_ROTATION,
  WEBHOOK_ROTATION,
  webhookLimits,
  WebhookRotation,
} from "../components";
import { readChartSource } from "./charts";
import { TrustManagerConfig } from "./trustManager";
import {
  ConfigReader,
  COUNT,
  DNS_LABEL,
  DNS_NAME,
  FLAG,
  NAMESPACE,
  Properties,
  setCommand,
  text,
} from "./reader";

/** cert-manager, installed here or by others. */
export interface CertManagerConfig {
  /** Whether this program installs it. */
  readonly install: boolean;
  readonly namespace: string;
  readonly chartSource: string;
  readonly version: string;
  readonly highAvailability: boolean;
  readonly deadlineSeconds: number;
}

/** How cert-manager issues Linkerd's identity issuer. */
export interface RotatingIdentityConfig extends Rotation {
  /** An issuer that exists already. Default: one with the signing anchor is made here. */
  readonly issuerRef?: IssuerRef;
}

/** What cert-manager does, with `certificates=cert-manager`. */
export interface RotationConfig {
  readonly certManager: CertManagerConfig;
  readonly identity: RotatingIdentityConfig;
  /** Undefined where the webhooks' certificates are generated. */
  readonly webhooks?: WebhookRotation;
  /** Undefined where the chart makes the ConfigMap of the trust bundle. */
  readonly trustManager?: TrustManagerConfig;
}

const LABEL = text("must be a DNS label", DNS_LABEL, CERT_MANAGER_NAMESPACE);
const NAME = text("must be a DNS name", DNS_NAME, "<name>");
const KIND = text("must be the name of a kind", /^[A-Z][A-Za-z0-9]*$/, "ClusterIssuer");

/** Shortest life of a proxy's certificate, in seconds; identity is asked anew at 70% of it. */
const MIN_ISSUANCE_LIFETIME = 60;

/** Key `issuanceLifetime`, in seconds. */
export function readIssuanceLifetime(reader: ConfigReader): number {
  const key = "issuanceLifetime";
  const value = reader.text(key) ?? "24h";
  const seconds = parseDuration(value);
  if (seconds !== undefined && seconds >= MIN_ISSUANCE_LIFETIME) {
    return seconds;
  }
  reader.invalid(key, `${DURATION.rule}, of 1m or more`, value, "24h");
  return MIN_ISSUANCE_LIFETIME;
}

/** Keys `certManager`, `certManagerVersion` and `certManagerChartSource`; the last two only matter where it is installed. */
export function readCertManager(reader: ConfigReader, used: boolean): CertManagerConfig {
  const key = "certManager";
  const known = ["install", "namespace", "highAvailability", "deadlineSeconds"];
  const object = reader.object(reader.json(key) ?? {}, key, known) ?? {};
  const install = reader.property(object, key, "install", FLAG) ?? true;
  return {
    install,
    namespace: reader.property(object, key, "namespace", LABEL) ?? CERT_MANAGER_NAMESPACE,
    highAvailability: reader.property(object, key, "highAvailability", FLAG) ?? false,
    deadlineSeconds:
      reader.property(object, key, "deadlineSeconds", COUNT) ?? DEFAULT_CERT_MANAGER_DEADLINE_SECONDS,
    version: readRelease(reader, "certManagerVersion", DEFAULT_CERT_MANAGER_VERSION),
    chartSource: readChartSource(
      reader,
      "certManagerChartSource",
      DEFAULT_CERT_MANAGER_CHART_SOURCE,
      used && install ? ["cert-manager"] : [],
    ),
  };
}

/** A key that names a release, `v<major>.<minor>.<patch>`. */
export function readRelease(reader: ConfigReader, key: string, byDefault: string): string {
  const version = reader.text(key) ?? byDefault;
  if (!isRelease(version)) {
    reader.invalid(key, "must be v<major>.<minor>.<patch>", version, byDefault);
  }
  return version;
}

/** Key `rotatingIdentity`, before what depends on other keys is checked. */
export function readRotatingIdentity(reader: ConfigReader): RotatingIdentityConfig {
  const key = "rotatingIdentity";
  const object = reader.object(reader.json(key) ?? {}, key, ["duration", "renewBefore", "issuerRef"]) ?? {};
  return {
    ...readRotation(reader, object, key, IDENTITY_ROTATION),
    issuerRef: readIssuerRef(reader, object.issuerRef, `${key}.issuerRef`),
  };
}

function readIssuerRef(reader: ConfigReader, value: unknown, key: string): IssuerRef | undefined {
  const object = value === undefined ? undefined : reader.object(value, key, ["name", "kind", "group"]);
  if (object === undefined) {
    return undefined;
  }
  if (object.name === undefined) {
    reader.invalid(`${key}.name`, NAME.rule, undefined, NAME.example);
  }
  return {
    name: reader.property(object, key, "name", NAME) ?? "",
    kind: reader.property(object, key, "kind", KIND),
    group: reader.property(object, key, "group", NAME),
  };
}

/** Key `rotatingWebhooks`; undefined where it is disabled. Its arithmetic matters only where it is used. */
export function readRotatingWebhooks(reader: ConfigReader, used: boolean): WebhookRotation | undefined {
  const key = "rotatingWebhooks";
  const known = ["enabled", "duration", "renewBefore", "caInjection", "caDuration", "caRenewBefore"];
  const object = reader.object(reader.json(key) ?? {}, key, known) ?? {};
  const enabled = reader.property(object, key, "enabled", FLAG) ?? true;
  const caInjection = reader.property(object, key, "caInjection", FLAG) ?? false;
  const rotation = readRotation(reader, object, key, WEBHOOK_ROTATION);
  const caRotation = {
    duration: reader.property(object, key, "caDuration", DURATION) ?? WEBHOOK_CA_ROTATION.duration,
    renewBefore: reader.property(object, key, "caRenewBefore", DURATION) ?? WEBHOOK_CA_ROTATION.renewBefore,
  };
  for (const property of caInjection ? [] : ["caDuration", "caRenewBefore"]) {
    if (object[property] !== undefined) {
      const rule = "must be set only with caInjection, without which the CA lasts ten years";
      reader.superfluous(`${key}.${property}`, rule, "is set");
    }
  }
  if (!enabled) {
    return undefined;
  }
  if (used && caInjection) {
    checkRotation(reader, key, caRotation, {}, { duration: "caDuration", renewBefore: "caRenewBefore" });
  }
  if (used) {
    checkRotation(reader, key, rotation, caInjection ? webhookLimits(caRotation) : {});
  }
  return { ...rotation, ...(caInjection && { caRotation }) };
}

function readRotation(reader: ConfigReader, object: Properties, key: string, byDefault: Rotation): Rotation {
  return {
    duration: reader.property(object, key, "duration", DURATION) ?? byDefault.duration,
    renewBefore: reader.property(object, key, "renewBefore", DURATION) ?? byDefault.renewBefore,
  };
}

/** Notes every rule that a rotation breaks. `properties` says how the two are called. */
export function checkRotation(
  reader: ConfigReader,
  key: string,
  rotation: Rotation,
  limits: RotationLimits = {},
  properties: Rotation = { duration: "duration", renewBefore: "renewBefore" },
): void {
  for (const { property, rule, found, example } of rotationProblems(rotation, limits)) {
    const path = `${key}.${properties[property]}`;
    reader.problem(`${NAMESPACE}:${path}`, rule, found, setCommand(path, example));
  }
}
