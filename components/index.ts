export { CERT_MANAGER_NAMESPACE, CertManager, type CertManagerArgs } from "./certManager/certManager";
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
export { type Rotation } from "./certManager/rotation";
export { TRUST_MANAGER_NAMESPACE, TrustManager, type TrustManagerArgs } from "./trustManager/trustManager";
export { TrustManagerBundle, type TrustManagerBundleArgs } from "./trustManager/trustManagerBundle";
export {
  DEFAULT_CERT_MANAGER_CHART_SOURCE,
  DEFAULT_CERT_MANAGER_VERSION,
  DEFAULT_TRUST_MANAGER_VERSION,
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
export { type GuardMode, MeshGuard, type MeshGuardArgs } from "./injection/meshGuard";
export {
  type ControlPlaneSettings,
  DEFAULT_OPAQUE_PORTS,
  type ProxyInitSettings,
  type WebhookFailurePolicy,
} from "./controlPlane/settings";
export {
  type ChartSource,
  DEFAULT_CHART_SOURCE,
  DEFAULT_LINKERD_VERSION,
  type LinkerdVersion,
} from "./controlPlane/version";
export { type ChartName, type ChartValues } from "./chartValues";
export { type HelmValue, type HelmValues } from "./cluster/helmValues";
export { LinkerdViz, type LinkerdVizArgs, SCRAPES } from "./extensions/linkerdViz";
export { type ApplicationNamespace, type Authorization, type Workload } from "./mesh/application";
export { type Clients, type ProxyProtocol } from "./mesh/clients";
export { MeshedNamespace, type MeshedNamespaceArgs } from "./mesh/meshedNamespace";
export { type InheritedSettings, MeshedWorkload, type MeshedWorkloadArgs } from "./mesh/meshedWorkload";
export { type ServicePort } from "./mesh/servicePort";
export { checkPodSecurity, type PodSecurityLevel } from "./injection/podSecurity";
export {
  type InboundPolicy,
  type InjectMode,
  isInjected,
  type NamespaceProxySettings,
  type Quantity,
  type ProxySettings,
} from "./mesh/proxySettings";
export { PortAuthorization, type PortAuthorizationArgs } from "./mesh/portAuthorization";
export { type WorkloadKind } from "./mesh/workloadKind";
export { type PortRange } from "./validation/ports";
export { type CertificateSummary, summarize } from "./pki/certificate";
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
