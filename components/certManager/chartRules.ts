import { ChartRules } from "../cluster/helmValues";

const DEFINITIONS = "the custom resource definitions come and go with the release";

/** Values of the chart cert-manager, whose schema lets Helm check the names since v1.16. */
export const CERT_MANAGER_RULES: ChartRules = {
  chart: "cert-manager",
  owned: {
    crds: DEFINITIONS,
    installCRDs: DEFINITIONS,
    namespace: "certManager.namespace sets it",
    "global.leaderElection.namespace": "certManager.namespace sets it",
  },
};
