import {
  CHART_SOURCE,
  COUNT,
  DEFAULT_CERT_MANAGER_CHART_SOURCE,
  DEFAULT_CERT_MANAGER_VERSION,
  DEFAULT_CHART_SOURCE,
  DEFAULT_GATE_DEADLINE_SECONDS,
  DEFAULT_LINKERD_VERSION,
  DEFAULT_TRUST_MANAGER_VERSION,
  DNS_LABEL,
  DNS_NAME,
  DURATION,
  FLAG,
  GUARD_MODE,
  ISSUANCE_LIFETIME_SECONDS,
  LINKERD_VERSION,
  oneOf,
  parseDuration,
  RELEASE,
  Rule,
  WEBHOOK_FAILURE_POLICY,
} from "../components/rules";
import { readAdoption } from "./adoption";
import { readCertManager, readRotatingIdentity, readRotatingWebhooks, readTrustManager } from "./certManager";
import { IMAGE_REGISTRY, readPorts, readProxyInit, readSecretNames, readViz } from "./controlPlane";
import { jsonKey, optionalKey, secretKey, textKey, valueKey } from "./key";
import { readMonitoring } from "./monitoring";
import { readNamespaces } from "./namespaces";
import { elsewhere, list } from "./reading";
import { readRolls } from "./rolls";
import { Stack } from "./stack";
import { readValues } from "./values";
import { readIssuance, readTrustAnchors, readWebhookIssuance } from "./trustAnchors";

/** Who issues the certificates. */
const CERTIFICATE_SOURCE = oneOf(["generated", "provided", "cert-manager"]);

const ISSUANCE_LIFETIME: Rule<string> = {
  rule: `${DURATION.rule}, of 1m or more`,
  example: "24h",
  allows: (value): value is string =>
    DURATION.allows(value) && ISSUANCE_LIFETIME_SECONDS.allows(parseDuration(value)),
};

const chartSource = (fallback: string) => textKey({ ...CHART_SOURCE, example: fallback }, fallback);
const release = (fallback: string) => textKey({ ...RELEASE, example: fallback }, fallback);

/** Every key of a stack's configuration. The second place that knows them is Pulumi.yaml. */
export const KEYS = {
  linkerdVersion: textKey(LINKERD_VERSION, DEFAULT_LINKERD_VERSION),
  chartSource: chartSource(DEFAULT_CHART_SOURCE),
  trustDomain: textKey(
    { ...DNS_NAME, rule: "must be a DNS name in lower case", example: "cluster.local" },
    "cluster.local",
  ),
  certificates: textKey(CERTIFICATE_SOURCE, "generated"),
  trustAnchors: jsonKey(readTrustAnchors, [{ id: "primary" }]),
  signingAnchor: optionalKey(),
  trustAnchorKey: secretKey(),
  acceptOutage: optionalKey(),
  rolls: jsonKey(readRolls, {}),
  adopt: jsonKey(readAdoption, {}),
  issuanceLifetime: textKey(ISSUANCE_LIFETIME, "24h"),
  issuer: jsonKey(readIssuance, {}),
  issuerCertificate: optionalKey(),
  issuerKey: secretKey(),
  webhookCertificates: jsonKey(readWebhookIssuance, {}),
  certManager: jsonKey(readCertManager, {}),
  certManagerVersion: release(DEFAULT_CERT_MANAGER_VERSION),
  certManagerChartSource: chartSource(DEFAULT_CERT_MANAGER_CHART_SOURCE),
  rotatingIdentity: jsonKey(readRotatingIdentity, {}),
  rotatingWebhooks: jsonKey(readRotatingWebhooks, {}),
  trustManager: jsonKey(readTrustManager, {}),
  trustManagerVersion: release(DEFAULT_TRUST_MANAGER_VERSION),
  trustManagerChartSource: chartSource(DEFAULT_CERT_MANAGER_CHART_SOURCE),
  guardMode: textKey(GUARD_MODE, "deny"),
  gateDeadlineSeconds: valueKey(
    {
      ...COUNT,
      rule: "must be a whole number of seconds, 1 or more",
      example: String(DEFAULT_GATE_DEADLINE_SECONDS),
    },
    DEFAULT_GATE_DEADLINE_SECONDS,
  ),
  gateNamespace: optionalKey({
    ...DNS_LABEL,
    rule: "must be the name of an existing namespace",
    example: "default",
  }),
  highAvailability: valueKey(FLAG, false),
  webhookFailurePolicy: textKey(WEBHOOK_FAILURE_POLICY, "Ignore"),
  opaquePorts: jsonKey(readPorts, []),
  proxyInit: jsonKey(readProxyInit, {}),
  imageRegistry: optionalKey(IMAGE_REGISTRY),
  imagePullSecrets: jsonKey(readSecretNames, []),
  protect: valueKey(FLAG, false),
  cniEnabled: valueKey(FLAG, false),
  labelKubeSystem: valueKey(FLAG, false),
  viz: jsonKey(readViz, {}),
  monitoring: jsonKey(readMonitoring, {}),
  values: jsonKey(readValues, {}),
  sampleApplications: jsonKey(
    list("must be a list of sample applications", { path: "", to: "<name>" }, elsewhere),
    [],
  ),
  namespaces: jsonKey(readNamespaces, []),
};

/** A stack with these keys. */
export type ConfigStack = Stack<typeof KEYS>;
