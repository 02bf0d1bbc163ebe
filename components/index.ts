export { CertManager, type CertManagerArgs } from "./certManager/certManager";
export { type Rotation } from "./certManager/rotation";
export { type ClusterAccess } from "./cluster/client";
export { type ChartName, type ChartValues } from "./chartValues";
export { adoptionLock } from "./cluster/adoptionLock";
export { startKubernetesProvider } from "./cluster/kubernetesProvider";
export { ownNamespace } from "./cluster/ownership";
export { stackMark } from "./cluster/stackMark";
export { KubeSystemLabel } from "./controlPlane/kubeSystemLabel";
export { LinkerdControlPlane, type LinkerdControlPlaneArgs } from "./controlPlane/linkerdControlPlane";
export { LinkerdCrds, type LinkerdCrdsArgs } from "./controlPlane/linkerdCrds";
export { LinkerdNamespace, type LinkerdNamespaceArgs } from "./controlPlane/linkerdNamespace";
export { type ProxyInitSettings } from "./controlPlane/settings";
export { CONTROL_PLANE_WEBHOOKS } from "./controlPlane/values";
export { LinkerdViz, type LinkerdVizArgs } from "./extensions/linkerdViz";
export { InjectionGate, type InjectionGateArgs } from "./injection/injectionGate";
export { type Mesh } from "./injection/mesh";
export { MeshGuard, type MeshGuardArgs } from "./injection/meshGuard";
export { LinkerdMesh } from "./linkerdMesh";
export { type MeshCertificates } from "./meshCertificates";
export { readDeployedMesh } from "./controlPlane/deployedMesh";
export { type LinkerdMeshArgs, type MeshRotation, type MeshTrustAnchor } from "./linkerdMeshArgs";
export { type ApplicationNamespace, type Authorization, type Workload } from "./mesh/application";
export { type Clients } from "./mesh/clients";
export { MeshedNamespace, type MeshedNamespaceArgs } from "./mesh/meshedNamespace";
export { MeshedWorkload, type MeshedWorkloadArgs } from "./mesh/meshedWorkload";
export { type ServicePort } from "./mesh/servicePort";
export { PortAuthorization, type PortAuthorizationArgs } from "./mesh/portAuthorization";
export { type InjectMode, type ProxySettings } from "./mesh/proxySettings";
export { LinkerdMonitoring, type LinkerdMonitoringArgs } from "./monitoring/linkerdMonitoring";
export { IdentityIssuer, type IdentityIssuerArgs, type ProvidedIssuer } from "./pki/identityIssuer";
export { type IssuanceArgs } from "./pki/keyGeneration";
export { TrustAnchor, type TrustAnchorArgs } from "./pki/trustAnchor";
export { trustBundle } from "./pki/trustBundle";
export { type WebhookIssuanceArgs } from "./pki/webhookCas";
export {
  WebhookCertificates,
  type WebhookCertificatesArgs,
  type WebhookRotation,
} from "./pki/webhookCertificates";
export { checkCluster } from "./preflight";
export { type RollSettings } from "./rolls/rollSettings";
export { trustProof } from "./rolls/trustProof";
export { TrustManager, type TrustManagerArgs } from "./trustManager/trustManager";
export { TrustManagerBundle, type TrustManagerBundleArgs } from "./trustManager/trustManagerBundle";
