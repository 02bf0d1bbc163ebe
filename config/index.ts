import * as pulumi from "@pulumi/pulumi";

import {
  ChartSource,
  ClusterAccess,
  ControlPlaneSettings,
  DEFAULT_CHART_SOURCE,
  DEFAULT_GATE_DEADLINE_SECONDS,
  DEFAULT_LINKERD_VERSION,
  GUARD_MODES,
  GuardMode,
  isLinkerdVersion,
  IssuanceArgs,
  ProvidedIssuer,
} from "../components";
import { namespacesOf, readSampleApplications, SampleApplication } from "./applications";
import {
  readIssuance,
  readProvidedIssuer,
  readSigningAnchor,
  readTrustAnchors,
  TrustAnchorConfig,
} from "./certificates";
import {
  checkRotation,
  readCertManager,
  readIssuanceLifetime,
  readRotatingIdentity,
  readRotatingWebhooks,
  RotationConfig,
} from "./certManager";
import { readChartSource } from "./charts";
import { readControlPlane } from "./controlPlane";
import { NamespaceConfig, readNamespaces } from "./namespaces";
import { ConfigReader, COUNT, DNS_NAME, FLAG, text } from "./reader";
import { readTrustAnchorKey, validity } from "./signingAnchor";
import { readTrustManager } from "./trustManager";

export { type SampleApplication } from "./applications";
export { type AuthorizationConfig } from "./authorization";
export { type TrustAnchorConfig } from "./certificates";
export { type NamespaceConfig } from "./namespaces";
export { type WorkloadConfig } from "./workloads";

/** Linkerd's viz extension. */
export interface VizConfig {
  /** Hosts, as a regular expression, at which the dashboard answers. Default: localhost and its Service. */
  readonly enforcedHostRegexp?: string;
  /** URL of a Prometheus that exists already. Default: viz brings its own. */
  readonly prometheusUrl?: string;
  /** Whether viz runs with several replicas. Default false. */
  readonly highAvailability?: boolean;
}

/** Certificates, and who issues them. */
interface CertificatesConfig {
  /** In the order of the trust bundle. */
  readonly trustAnchors: readonly TrustAnchorConfig[];
  /** id of the anchor that signs the issuer. */
  readonly signingAnchor: string;
  /** Key of the signing anchor, where that has a certificate. */
  readonly trustAnchorKey?: pulumi.Output<string>;
  readonly issuer: IssuanceArgs;
  /** Validity of the proxies' certificates, in seconds. */
  readonly issuanceLifetime: number;
  /** The issuer, where it is not generated. Its key is a secret. */
  readonly providedIssuer?: ProvidedIssuer;
  readonly webhookCertificates: IssuanceArgs;
  /** What cert-manager issues and renews; undefined where it does not. */
  readonly rotation?: RotationConfig;
}

/** A stack's configuration, checked. Every key is described in docs/configuration.md. */
export interface StackConfig extends CertificatesConfig {
  readonly charts: ChartSource;
  readonly trustDomain: string;
  readonly guardMode: GuardMode;
  readonly gateDeadlineSeconds: number;
  /** What is chosen for the control plane. */
  readonly controlPlane: ControlPlaneSettings;
  /** Whether generated anchors and the namespaces made here must be unprotected before they can be deleted. */
  readonly protect: boolean;
  /** Whether the cluster's owner has installed Linkerd's CNI plugin. */
  readonly cniEnabled: boolean;
  /** Whether kube-system gets the label that keeps Linkerd's webhooks away. */
  readonly labelKubeSystem: boolean;
  /** The viz extension, where it is enabled. */
  readonly viz?: VizConfig;
  readonly sampleApplications: readonly SampleApplication[];
  readonly namespaces: readonly NamespaceConfig[];
  readonly cluster: ClusterAccess;
}

/** Reads and checks the whole configuration; throws one error that names everything wrong with it. */
export function readConfig(): StackConfig {
  const reader = new ConfigReader();
  reader.checkKeys(KEYS);
  const trustDomain = readTrustDomain(reader);
  const certificates = readCertificates(reader, trustDomain);
  const viz = readViz(reader);
  const cniEnabled = reader.flag("cniEnabled");
  const controlPlane = readControlPlane(reader);
  const sampleApplications = readSampleApplications(reader);
  const config: StackConfig = {
    charts: {
      version: readLinkerdVersion(reader),
      source: readChartSource(reader, "chartSource", DEFAULT_CHART_SOURCE, [
        "linkerd-crds",
        "linkerd-control-plane",
        ...(viz === undefined ? [] : ["linkerd-viz"]),
      ]),
    },
    trustDomain,
    ...certificates,
    guardMode: reader.oneOf("guardMode", GUARD_MODES, "deny"),
    gateDeadlineSeconds: readGateDeadline(reader),
    controlPlane,
    protect: reader.flag("protect"),
    cniEnabled,
    labelKubeSystem: reader.flag("labelKubeSystem"),
    viz,
    sampleApplications,
    namespaces: readNamespaces(reader, {
      cniEnabled,
      initAsRoot: controlPlane.proxyInit?.runAsRoot ?? false,
      opaquePorts: controlPlane.opaquePorts,
      taken: namespacesOf(sampleApplications),
    }),
    cluster: readCluster(reader),
  };
  reader.throwProblems();
  return config;
}

/** Who issues the certificates. */
const CERTIFICATE_SOURCES = ["generated", "provided", "cert-manager"] as const;

function readCertificates(reader: ConfigReader, trustDomain: string): CertificatesConfig {
  const source = reader.oneOf("certificates", CERTIFICATE_SOURCES, "generated");
  const provided = source === "provided";
  const rotating = source === "cert-manager";
  const certManager = readCertManager(reader, rotating);
  const identity = readRotatingIdentity(reader);
  const webhooks = readRotatingWebhooks(reader, rotating);
  const trustManager = readTrustManager(reader, rotating);
  const issuanceLifetime = readIssuanceLifetime(reader);

  const issuerRef = rotating ? identity.issuerRef : undefined;
  const trustAnchors = readTrustAnchors(
    reader,
    provided
      ? "with certificates=provided"
      : issuerRef && "where rotatingIdentity.issuerRef names the issuer, which signs with another's key",
  );
  const signedElsewhere = provided || issuerRef !== undefined;
  const signingAnchor = readSigningAnchor(reader, trustAnchors, signedElsewhere);
  const signer = trustAnchors.find(({ id }) => id === signingAnchor);
  if (rotating) {
    checkRotation(reader, "rotatingIdentity", identity, {
      signs: { seconds: issuanceLifetime, what: "the life of a proxy's certificate (issuanceLifetime)" },
      signedBy: signer && issuerRef === undefined ? validity(signer) : undefined,
    });
  }
  return {
    trustAnchors,
    signingAnchor,
    trustAnchorKey: readTrustAnchorKey(reader, signer, signedElsewhere),
    issuer: readIssuance(reader, "issuer", provided || rotating ? `certificates=${source}` : undefined),
    issuanceLifetime,
    providedIssuer: readProvidedIssuer(reader, provided, { trustAnchors, trustDomain }),
    webhookCertificates: readIssuance(
      reader,
      "webhookCertificates",
      rotating && webhooks ? "cert-manager issues them (rotatingWebhooks)" : undefined,
    ),
    rotation: rotating
      ? { certManager, identity, webhooks, ...(trustManager && { trustManager }) }
      : undefined,
  };
}

const KEYS = [
  "linkerdVersion",
  "chartSource",
  "trustDomain",
  "certificates",
  "trustAnchors",
  "signingAnchor",
  "trustAnchorKey",
  "issuanceLifetime",
  "issuer",
  "issuerCertificate",
  "issuerKey",
  "webhookCertificates",
  "certManager",
  "certManagerVersion",
  "certManagerChartSource",
  "rotatingIdentity",
  "rotatingWebhooks",
  "trustManager",
  "trustManagerVersion",
  "trustManagerChartSource",
  "guardMode",
  "gateDeadlineSeconds",
  "highAvailability",
  "webhookFailurePolicy",
  "opaquePorts",
  "proxyInit",
  "imageRegistry",
  "imagePullSecrets",
  "protect",
  "cniEnabled",
  "labelKubeSystem",
  "viz",
  "sampleApplications",
  "namespaces",
] as const satisfies readonly string[];

function readLinkerdVersion(reader: ConfigReader): ChartSource["version"] {
  const version = reader.text("linkerdVersion") ?? DEFAULT_LINKERD_VERSION;
  if (isLinkerdVersion(version)) {
    return version;
  }
  reader.invalid("linkerdVersion", "must be edge-<year>.<month>.<number>", version, DEFAULT_LINKERD_VERSION);
  return undefined;
}

function readTrustDomain(reader: ConfigReader): string {
  const domain = reader.text("trustDomain") ?? "cluster.local";
  if (!DNS_NAME.test(domain)) {
    reader.invalid("trustDomain", "must be a DNS name in lower case", domain, "cluster.local");
  }
  return domain;
}

function readGateDeadline(reader: ConfigReader): number {
  const value = reader.json("gateDeadlineSeconds") ?? DEFAULT_GATE_DEADLINE_SECONDS;
  if (COUNT.allows(value)) {
    return value;
  }
  const example = String(DEFAULT_GATE_DEADLINE_SECONDS);
  reader.invalid("gateDeadlineSeconds", "must be a whole number of seconds, 1 or more", value, example);
  return DEFAULT_GATE_DEADLINE_SECONDS;
}

function readViz(reader: ConfigReader): VizConfig | undefined {
  const known = ["enabled", "enforcedHostRegexp", "prometheusUrl", "highAvailability"];
  const object = reader.object(reader.json("viz") ?? {}, "viz", known) ?? {};
  const enabled = reader.property(object, "viz", "enabled", FLAG);
  const viz = {
    enforcedHostRegexp: reader.property(object, "viz", "enforcedHostRegexp", HOST_REGEXP),
    prometheusUrl: reader.property(object, "viz", "prometheusUrl", PROMETHEUS_URL),
    highAvailability: reader.property(object, "viz", "highAvailability", FLAG),
  };
  return enabled === true ? viz : undefined;
}

const HOST_REGEXP = text("must be a regular expression, as a string", /^/, "'^dashboard\\.example\\.org$'");
const PROMETHEUS_URL = text(
  "must be a URL that begins with http:// or https://",
  /^https?:\/\/[^/]/,
  "http://prometheus.monitoring:9090",
);

/** The gate has a client of its own, which must ask the same cluster as the Kubernetes provider changes. */
function readCluster(reader: ConfigReader): ClusterAccess {
  const kubernetes = new pulumi.Config("kubernetes");
  if (kubernetes.get("cluster") !== undefined) {
    reader.problem(
      "kubernetes:cluster",
      "must not be set (the injection gate follows kubernetes:kubeconfig and kubernetes:context)",
      "is set",
      "pulumi config rm kubernetes:cluster && pulumi config set kubernetes:context <context>",
    );
  }
  return { kubeconfig: kubernetes.get("kubeconfig"), context: kubernetes.get("context") };
}
