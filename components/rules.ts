/** Rules for values that come from outside the type system, e.g. from a stack's configuration. */
export { DEFAULT_CERT_MANAGER_DEADLINE_SECONDS } from "./certManager/resources";
export { type Rotation, type RotationLimits, rotationProblems } from "./certManager/rotation";
export {
  DEFAULT_CERT_MANAGER_CHART_SOURCE,
  DEFAULT_CERT_MANAGER_VERSION,
  DEFAULT_TRUST_MANAGER_VERSION,
  RELEASE,
} from "./certManager/version";
export { CERT_MANAGER_NAMESPACE } from "./certManager/certManager";
export {
  CaCertificate,
  checkAnchorKey,
  checkIssuer,
  checkIssuerKey,
  checkTrustAnchor,
} from "./certificates/certificateRules";
export { CHART_RULES } from "./chartValues";
export { ADOPTED_OBJECT } from "./cluster/adoption";
export { CHART_SOURCE, isChartDirectory } from "./cluster/helmChart";
export { helmValueProblems } from "./cluster/helmValues";
export { ISSUANCE_LIFETIME_SECONDS } from "./controlPlane/linkerdControlPlane";
export { LINKERD_NAMESPACE, VIZ_NAMESPACE } from "./controlPlane/linkerdNamespace";
export { DEFAULT_OPAQUE_PORTS, IPTABLES_MODE, WEBHOOK_FAILURE_POLICY } from "./controlPlane/settings";
export { DEFAULT_CHART_SOURCE, DEFAULT_LINKERD_VERSION, LINKERD_VERSION } from "./controlPlane/version";
export { ROLL_PERCENT, rolledWorkloadProblems } from "./rolls/rollSettings";
export { PROMETHEUS_URL } from "./extensions/linkerdViz";
export { DEFAULT_GATE_DEADLINE_SECONDS } from "./injection/injectionGate";
export { passedOverProblems } from "./injection/injectorRules";
export { GUARD_MODE } from "./injection/meshGuard";
export { isKubernetesNamespace, otherNamespace } from "./cluster/namespaceNames";
export { POD_SECURITY, podSecurityProblems } from "./cluster/podSecurity";
export { clientProblems, PROXY_PROTOCOL } from "./mesh/clients";
export { serverName, WORKLOAD_LABEL } from "./mesh/portAuthorization";
export { namespaceNameProblems } from "./mesh/namespaceName";
export { DRAIN_SECONDS, drainProblems } from "./mesh/drain";
export { INJECT_MODE, isInjected, proxySettingProblems } from "./mesh/proxySettings";
export { servicePortProblems } from "./mesh/servicePort";
export { isServing, kindProblems, REPLICAS, SCHEDULE, WORKLOAD_KIND } from "./mesh/workloadKind";
export { IDENTITY_ROTATION } from "./pki/identityIssuer";
export { HOURS_PER_YEAR, VALIDITY_HOURS } from "./pki/keyGeneration";
export { signingCaProblems, webhookCaListProblems } from "./pki/webhookCas";
export {
  WEBHOOK_CA_ROTATION,
  WEBHOOK_ROTATION,
  WEBHOOK_VALIDITY_HOURS,
  webhookLimits,
} from "./pki/webhookCertificates";
export { TRUST_ANCHOR_VALIDITY_HOURS } from "./pki/trustAnchor";
export { TRUST_MANAGER_NAMESPACE } from "./trustManager/trustManager";
export { describeDuration, DURATION, parseDuration } from "./validation/duration";
export { CONTAINER_PORT, includesPort, PORT_LIST, PORT_RANGE, type PortRange } from "./validation/ports";
export {
  checkItems,
  checkObject,
  describeFound,
  type Fix,
  type Found,
  invalid,
  isObject,
  join,
  type Problem,
  type Properties,
  unexpected,
  within,
} from "./validation/problem";
export { COUNT, DNS_LABEL, DNS_NAME, FLAG, HTTP_URL, oneOf, type Rule, text } from "./validation/rule";
