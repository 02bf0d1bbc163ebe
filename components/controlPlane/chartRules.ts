import { ChartRules } from "../cluster/helmValues";
import known from "./valueNames.json";

/** Values of the chart linkerd-crds. */
export const CRDS_RULES: ChartRules = {
  chart: "linkerd-crds",
  owned: {},
  known: { release: known.release, names: known["linkerd-crds"] },
};

const PORTS_AND_IPTABLES = "proxyInit sets it";
const GUARDED = "the mesh guard selects the same pods as the chart's default";
const ISSUER = "the issuer is a Secret, so that no key is in Helm's values";

/** Values of the chart linkerd-control-plane. */
export const CONTROL_PLANE_RULES: ChartRules = {
  chart: "linkerd-control-plane",
  owned: {
    identityTrustAnchorsPEM: "trustAnchors sets it",
    identityTrustDomain: "trustDomain sets it",
    "identity.externalCA": "trustManager sets it",
    "identity.issuer.scheme": ISSUER,
    "identity.issuer.tls": ISSUER,
    "identity.issuer.issuanceLifetime": "issuanceLifetime sets it",
    "identity.serviceAccountTokenProjection": "without it the injector passes over pods without a token",
    ...ownedWebhook("proxyInjector"),
    "proxyInjector.namespaceSelector": GUARDED,
    "proxyInjector.objectSelector": GUARDED,
    ...ownedWebhook("profileValidator"),
    ...ownedWebhook("policyValidator"),
    cniEnabled: "cniEnabled sets it",
    heartbeatSchedule: "it is fixed, so that every deployment renders the same; disableHeartBeat is free",
    linkerdVersion: "linkerdVersion sets it",
    highAvailability: "highAvailability sets it",
    webhookFailurePolicy: "webhookFailurePolicy sets it",
    "proxy.opaquePorts": "opaquePorts sets it",
    "proxyInit.iptablesMode": PORTS_AND_IPTABLES,
    "proxyInit.runAsRoot": PORTS_AND_IPTABLES,
    "proxyInit.ignoreInboundPorts": PORTS_AND_IPTABLES,
    "proxyInit.ignoreOutboundPorts": PORTS_AND_IPTABLES,
    imagePullSecrets: "imagePullSecrets sets it",
  },
  known: { release: known.release, names: known["linkerd-control-plane"] },
};

/** The values of a webhook that say what its certificate is. */
export function ownedWebhook(webhook: string): ChartRules["owned"] {
  const names = ["externalSecret", "caBundle", "injectCaFrom", "injectCaFromSecret", "crtPEM", "keyPEM"];
  const reason = "its certificate is a Secret, which webhookCertificates or rotatingWebhooks describes";
  return Object.fromEntries(names.map((name) => [`${webhook}.${name}`, reason]));
}
