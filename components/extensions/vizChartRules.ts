import { ChartRules } from "../cluster/helmValues";
import { TRUST_BUNDLE_LABEL } from "../cluster/meshedPods";
import { ownedWebhook } from "../controlPlane/chartRules";
import known from "./vizValueNames.json";

/** Values of the chart linkerd-viz. */
export const VIZ_RULES: ChartRules = {
  chart: "linkerd-viz",
  owned: {
    linkerdNamespace: "it is the control plane's",
    identityTrustDomain: "trustDomain sets it",
    linkerdVersion: "linkerdVersion sets it",
    createNamespaceMetadataJob: "the namespace has its metadata already",
    [`podLabels.${TRUST_BUNDLE_LABEL}`]: "it rolls the pods with the trust bundle",
    ...ownedWebhook("tap"),
    ...ownedWebhook("tapInjector"),
    "dashboard.enforcedHostRegexp": "viz.enforcedHostRegexp sets it",
    prometheusUrl: "viz.prometheusUrl sets it",
    "prometheus.enabled": "viz.prometheusUrl sets it",
    imagePullSecrets: "imagePullSecrets sets it",
  },
  known: { release: known.release, names: known["linkerd-viz"] },
};
