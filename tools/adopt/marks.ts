import { type Adoption, adoptedObject } from "../../components/cluster/adoption";
import { IDENTITY_ISSUER_SECRET } from "../../components/pki/identityIssuer";
import { webhookSecret } from "../../components/pki/webhookCertificates";
import { LINKERD_NAMESPACE, VIZ_NAMESPACE } from "../../components/rules";
import type { Present } from "./present";

/** What the stack may take over, and the CAs that the API server must go on to trust meanwhile. */
export function adoption({ charts, issuer, webhooks }: Present): Adoption {
  const viz = charts.some(({ chart }) => chart === "linkerd-viz");
  const written = webhooks.filter(({ exists }) => exists);
  const renewed = [
    ...(issuer.renewedBy === undefined
      ? []
      : [{ namespace: LINKERD_NAMESPACE, name: issuer.renewedBy.name }]),
    ...written.flatMap(({ namespace, certificate }) =>
      certificate === undefined ? [] : [{ namespace, name: certificate }],
    ),
  ];
  const cas = [...new Set(written.flatMap((webhook) => webhook.cas))];
  return {
    objects: [
      adoptedObject("Namespace", LINKERD_NAMESPACE),
      ...(viz ? [adoptedObject("Namespace", VIZ_NAMESPACE)] : []),
      ...releases(charts).map((release) => `HelmRelease ${release}`),
      ...(issuer.renewedBy === undefined
        ? [adoptedObject("Secret", IDENTITY_ISSUER_SECRET, LINKERD_NAMESPACE)]
        : []),
      ...renewed.map(({ namespace, name }) => adoptedObject("Certificate", name, namespace)),
      ...written.map(({ service, namespace }) => adoptedObject("Secret", webhookSecret(service), namespace)),
    ],
    ...(cas.length > 0 && { webhookCas: cas.join("\n") }),
  };
}

/** Helm's names of the releases; those that what Linkerd's command-line tool has made becomes. */
function releases(charts: Present["charts"]): string[] {
  const names = charts.map(({ chart, release }) => release ?? `${namespaceOf(chart)}/${chart}`);
  return [...new Set([`${LINKERD_NAMESPACE}/linkerd-crds`, ...names])];
}

function namespaceOf(chart: string): string {
  return chart === "linkerd-viz" ? VIZ_NAMESPACE : LINKERD_NAMESPACE;
}
