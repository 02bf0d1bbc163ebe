export { type ClusterAccess } from "./controlPlane/injectionApi";
export {
  DEFAULT_GATE_DEADLINE_SECONDS,
  InjectionGate,
  type InjectionGateArgs,
} from "./controlPlane/injectionGate";
export { type InjectionAnswer, type InjectionApi } from "./controlPlane/injectionProbe";
export { LinkerdControlPlane, type LinkerdControlPlaneArgs } from "./controlPlane/linkerdControlPlane";
export { LinkerdCrds, type LinkerdCrdsArgs } from "./controlPlane/linkerdCrds";
export { LinkerdNamespace } from "./controlPlane/linkerdNamespace";
export { GUARD_MODES, type GuardMode, MeshGuard, type MeshGuardArgs } from "./controlPlane/meshGuard";
export {
  type ChartSource,
  DEFAULT_CHART_SOURCE,
  DEFAULT_LINKERD_VERSION,
  isChartDirectory,
  isLinkerdVersion,
  type LinkerdVersion,
} from "./controlPlane/version";
export { type InjectMode, MeshedNamespace, type MeshedNamespaceArgs } from "./mesh/meshedNamespace";
export { MeshedWorkload, type MeshedWorkloadArgs } from "./mesh/meshedWorkload";
export { type CertificateSummary, summarize } from "./pki/certificate";
export { IdentityIssuer, type IdentityIssuerArgs, type ProvidedIssuer } from "./pki/identityIssuer";
export { type IssuanceArgs } from "./pki/keyGeneration";
export { type Signer, TrustAnchor, type TrustAnchorArgs } from "./pki/trustAnchor";
export { trustBundle } from "./pki/trustBundle";
export { WebhookCertificate, type WebhookCertificateArgs } from "./pki/webhookCertificate";
