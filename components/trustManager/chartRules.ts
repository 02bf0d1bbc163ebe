import { ChartRules } from "../cluster/helmValues";

/** Values of the chart trust-manager, whose schema lets Helm check the names. */
export const TRUST_MANAGER_RULES: ChartRules = {
  chart: "trust-manager",
  owned: {
    crds: "the custom resource definitions come and go with the release",
    namespace: "trustManager.namespace sets it",
    "app.trust.namespace": "trustManager.namespace sets it",
    "app.webhook.tls.helmCert": "cert-manager issues the certificate, so that no key is in Helm's record",
  },
};
