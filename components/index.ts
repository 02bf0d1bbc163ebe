export { CERT_MANAGER_NAMESPACE, CertManager, type CertManagerArgs } from "./certManager/certManager";
export { DURATION, formatDuration, parseDuration } from "./validation/duration";
export { DEFAULT_CERT_MANAGER_DEADLINE_SECONDS, type IssuerRef } from "./certManager/resources";
export {
  IDENTITY_ROTATION,
  RotatingIdentity,
  type RotatingIdentityArgs,
} from "./certManager/rotatingIdentity";
export {
  RotatingWebhooks,
  type RotatingWebhooksArgs,
  WEBHOOK_CA_ROTATION,
  WEBHOOK_ROTATION,
  webhookLimits,
  type WebhookRotation,
} from "./certManager/rotatingWebhooks";
export {
  checkRotation,
  type Rotation,
  type RotationLimits,
  type RotationProblem,
  rotationProblems,
} from "./certManager/rotation";
export { TRUST_MANAGER_NAMESPACE, TrustManager, type TrustManagerArgs } from "./trustManager/trustManager";
export { TrustManagerBundle, type TrustManagerBundleArgs } from "./trustManager/trustManagerBundle";
export {
  DEFAULT_CERT_MANAGER_CHART_SOURCE,
  DEFAULT_CERT_MANAGER_VERSION,
  DEFAULT_TRUST_MANAGER_VERSION,
  isRelease,
} from "./certManager/version";
export {
  webhookCertificates,
  type WebhookCertificatesArgs,
  type WebhookIssuance,
} from "./certManager/webhookCertificates";
export { warnWithoutGatewayApi } from "./controlPlane/gatewayApi";
export { type ClusterAccess } from "./injection/injectionApi";
export {
  DEFAULT_GATE_DEADLINE_SECONDS,
  InjectionGate,
  type InjectionGateArgs,
} from "./injection/injectionGate";
export { type InjectionAnswer, type InjectionApi } from "./injection/injectionProbe";
export { KubeSystemLabel } from "./controlPlane/kubeSystemLabel";
export { LinkerdControlPlane, type LinkerdControlPlaneArgs } from "./controlPlane/linkerdControlPlane";
export { LinkerdCrds, type LinkerdCrdsArgs } from "./controlPlane/linkerdCrds";
export { LinkerdNamespace, type LinkerdNamespaceArgs } from "./controlPlane/linkerdNamespace";
export { CONTROL_PLANE_WEBHOOKS, type ControlPlaneWebhook } from "./controlPlane/values";
export { GUARD_MODES, type GuardMode, MeshGuard, type MeshGuardArgs } from "./injection/meshGuard";
export {
  type ControlPlaneSettings,
  DEFAULT_OPAQUE_PORTS,
  type ProxyInitSettings,
  WEBHOOK_FAILURE_POLICIES,
  type WebhookFailurePolicy,
} from "./controlPlane/settings";
export {
  type ChartSource,
  DEFAULT_CHART_SOURCE,
  DEFAULT_LINKERD_VERSION,
  isLinkerdVersion,
  type LinkerdVersion,
} from "./controlPlane/version";
export { isChartDirectory } from "./cluster/helmChart";
export { type HelmValue, type HelmValues } from "./cluster/helmValues";
export { LinkerdViz, type LinkerdVizArgs, SCRAPES } from "./extensions/linkerdViz";
export {
  CLIENT_LISTS,
  CLIENT_RULES,
  type Clients,
  CONTAINER_PORT,
  PROXY_PROTOCOLS,
  type ProxyProtocol,
  SOME_CLIENTS,
} from "./mesh/clients";
export { MeshedNamespace, type MeshedNamespaceArgs } from "./mesh/meshedNamespace";
export {
  type InheritedSettings,
  MeshedWorkload,
  type MeshedWorkloadArgs,
  type ServicePort,
} from "./mesh/meshedWorkload";
export {
  checkPodSecurity,
  POD_SECURITY_LEVELS,
  POD_SECURITY_RULE,
  type PodSecurityLevel,
  refusesProxies,
} from "./injection/podSecurity";
export {
  type InboundPolicy,
  INJECT_MODES,
  type InjectMode,
  isInjected,
  isPortList,
  type NamespaceProxySettings,
  PORT_LIST,
  type PortRange,
  type Quantity,
  type ProxySettings,
  proxySettingProblems,
  wrongPort,
} from "./mesh/proxySettings";
export { PortAuthorization, type PortAuthorizationArgs } from "./mesh/portAuthorization";
export { kindProblems, WORKLOAD_KINDS, type WorkloadKind } from "./mesh/workloadKind";
export { type CertificateSummary, summarize } from "./pki/certificate";
export {
  CaCertificate,
  type CertificateProblem,
  checkIssuer,
  checkIssuerKey,
  checkTrustAnchor,
} from "./certificates/certificateRules";
export { IdentityIssuer, type IdentityIssuerArgs, type ProvidedIssuer } from "./pki/identityIssuer";
export { type IssuanceArgs } from "./pki/keyGeneration";
export {
  type Signer,
  TrustAnchor,
  TRUST_ANCHOR_VALIDITY_HOURS,
  type TrustAnchorArgs,
} from "./pki/trustAnchor";
export { trustBundle } from "./pki/trustBundle";
export { WebhookCa, type WebhookCaArgs } from "./pki/webhookCa";
export { WebhookCertificate, type WebhookCertificateArgs } from "./pki/webhookCertificate";
export { type WebhookCertificates, type WebhookTrust } from "./pki/webhookTrust";
