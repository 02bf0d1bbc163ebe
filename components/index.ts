export { CertManager, type CertManagerArgs } from "./certManager/certManager";
export { type IssuerRef } from "./certManager/resources";
export { type Rotation } from "./certManager/rotation";
export { type ClusterAccess } from "./cluster/client";
export { type ChartName, type ChartValues } from "./chartValues";
export { type HelmValue, type HelmValues } from "./cluster/helmValues";
export { ownNamespace } from "./cluster/ownership";
export { stackMark } from "./cluster/stackMark";
export { type PodSecurityLevel } from "./cluster/podSecurity";
export { KubeSystemLabel } from "./controlPlane/kubeSystemLabel";
export { LinkerdControlPlane, type LinkerdControlPlaneArgs } from "./controlPlane/linkerdControlPlane";
export { LinkerdCrds, type LinkerdCrdsArgs } from "./controlPlane/linkerdCrds";
export { LinkerdNamespace, type LinkerdNamespaceArgs } from "./controlPlane/linkerdNamespace";
export { type ControlPlaneSettings, type ProxyInitSettings } from "./controlPlane/settings";
export { CONTROL_PLANE_WEBHOOKS } from "./controlPlane/values";
export { type ChartSource, type LinkerdVersion } from "./controlPlane/version";
export { LinkerdViz, type LinkerdVizArgs, type VizSettings } from "./extensions/linkerdViz";
export { InjectionGate, type InjectionGateArgs } from "./injection/injectionGate";
export { type Mesh } from "./injection/mesh";
export { type GuardMode, MeshGuard, type MeshGuardArgs } from "./injection/meshGuard";
export { LinkerdMesh, type MeshCertificates } from "./linkerdMesh";
export { type DeployedMesh, readDeployedMesh } from "./controlPlane/deployedMesh";
export { type LinkerdMeshArgs, type MeshRotation, type MeshTrustAnchor } from "./linkerdMeshArgs";
export { type ApplicationNamespace, type Authorization, type Workload } from "./mesh/application";
export { type Clients, type ProxyProtocol } from "./mesh/clients";
export { MeshedNamespace, type MeshedNamespaceArgs } from "./mesh/meshedNamespace";
export { MeshedWorkload, type MeshedWorkloadArgs } from "./mesh/meshedWorkload";
export { type ServicePort } from "./mesh/servicePort";
export { PortAuthorization, type PortAuthorizationArgs } from "./mesh/portAuthorization";
export { type InjectMode, type NamespaceProxySettings, type ProxySettings } from "./mesh/proxySettings";
export { type WorkloadKind } from "./mesh/workloadKind";
export {
  LinkerdMonitoring,
  type LinkerdMonitoringArgs,
  type MonitoringSettings,
} from "./monitoring/linkerdMonitoring";
export { type PortRange } from "./validation/ports";
export { type CertificateSummary } from "./pki/certificateSummary";
export { IdentityIssuer, type IdentityIssuerArgs, type ProvidedIssuer } from "./pki/identityIssuer";
export { type Signer } from "./pki/issuing";
export { type IssuanceArgs } from "./pki/keyGeneration";
export { TrustAnchor, type TrustAnchorArgs } from "./pki/trustAnchor";
export { trustBundle } from "./pki/trustBundle";
export {
  WebhookCertificates,
  type WebhookCertificatesArgs,
  type WebhookRotation,
  type WebhookTrust,
} from "./pki/webhookCertificates";
export { checkCluster, type OtherNamespaces } from "./preflight";
export { type RollSettings } from "./rolls/rollSettings";
export { trustProof, type TrustProofArgs } from "./rolls/trustProof";
export { TrustManager, type TrustManagerArgs } from "./trustManager/trustManager";
export { TrustManagerBundle, type TrustManagerBundleArgs } from "./trustManager/trustManagerBundle";
