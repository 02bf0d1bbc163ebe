import type { CoreV1Api, V1ConfigMap, V1Secret } from "@kubernetes/client-node";
import { parse } from "yaml";

import { CONTROL_PLANE_WEBHOOKS } from "../../components";
import { type ClusterAccess, connect } from "../../components/cluster/client";
import { STACK_ANNOTATION } from "../../components/cluster/stackMark";
import { unlessAbsent } from "../../components/controlPlane/deployedMesh";
import { DEFAULT_TRUST_DOMAIN } from "../../components/pki/deployedTrust";
import { VIZ_WEBHOOKS } from "../../components/extensions/vizValues";
import { IDENTITY_ISSUER_SECRET } from "../../components/pki/identityIssuer";
import { webhookSecret } from "../../components/pki/webhookCertificates";
import { isObject, LINKERD_NAMESPACE, type Properties, VIZ_NAMESPACE } from "../../components/rules";
import { TRUST_ROOTS, TRUST_ROOTS_KEY } from "../../components/trustManager/trustRoots";
import { readInjected } from "./namespaces";
import { deployerOf } from "./owner";
import type { IssuerCertificate, Present, PresentIssuer, PresentWebhook } from "./present";
import { readCharts } from "./releases";
import { type CasOf, readWebhookCas } from "./webhookCas";

/** How long the API server may take for each answer, in milliseconds. */
const TIMEOUT_MS = 30_000;

/** Annotation by which cert-manager says for which Certificate it wrote a Secret. */
const CERTIFICATE_ANNOTATION = "cert-manager.io/certificate-name";

const EXTENSION_LABEL = "linkerd.io/extension";

/**
 * Reads a mesh; changes nothing. The issuer's key is in the answer.
 *
 * @returns undefined where the cluster has no control plane of Linkerd.
 * @throws what the client throws, where there is no answer or a permission is missing.
 */
export async function readPresent(access: ClusterAccess): Promise<Present | undefined> {
  const core = await connect(access, (k8s) => k8s.CoreV1Api, TIMEOUT_MS);
  const namespace = LINKERD_NAMESPACE;
  const configMap = (name: string): Promise<V1ConfigMap | undefined> =>
    unlessAbsent(core.readNamespacedConfigMap({ name, namespace }));
  const [charts, trustRoots, config, { items: namespaces }] = await Promise.all([
    readCharts(core),
    configMap(TRUST_ROOTS),
    configMap("linkerd-config"),
    core.listNamespace(),
  ]);
  if (config === undefined) return undefined;
  const values: unknown = parse(config.data?.values ?? "");
  const effective: Properties = isObject(values) ? values : {};
  const casOf = await readWebhookCas(access, TIMEOUT_MS);
  const viz = charts.some(({ chart }) => chart === "linkerd-viz");
  const services = [
    ...CONTROL_PLANE_WEBHOOKS.map((service) => ({ service, namespace })),
    ...(viz ? VIZ_WEBHOOKS.map((service) => ({ service, namespace: VIZ_NAMESPACE })) : []),
  ];
  const [issuer, webhooks, injected] = await Promise.all([
    readIssuer(core, access),
    Promise.all(services.map((where) => readWebhook(core, where, casOf))),
    readInjected(access, namespaces, TIMEOUT_MS),
  ]);
  const own = namespaces.find(({ metadata }) => metadata?.name === namespace)?.metadata;
  return {
    charts,
    linkerdVersion: text(effective.linkerdVersion),
    trustDomain: text(effective.identityTrustDomain) ?? text(effective.clusterDomain) ?? DEFAULT_TRUST_DOMAIN,
    bundle: certificatesIn(trustRoots?.data?.[TRUST_ROOTS_KEY] ?? ""),
    bundleOwner: deployerOf(trustRoots?.metadata ?? {}),
    issuer,
    webhooks,
    namespaces: injected.namespaces,
    extensions: namespaces
      .flatMap(({ metadata }) => metadata?.labels?.[EXTENSION_LABEL] ?? [])
      .filter((extension) => extension !== "viz"),
    stack: own?.annotations?.[STACK_ANNOTATION],
    gitOps: injected.linkerdGitOps,
    effective,
  };
}

async function readIssuer(core: CoreV1Api, access: ClusterAccess): Promise<PresentIssuer> {
  const secret = await unlessAbsent(
    core.readNamespacedSecret({ namespace: LINKERD_NAMESPACE, name: IDENTITY_ISSUER_SECRET }),
  );
  const isTls = secret?.data?.["tls.crt"] !== undefined;
  const name = secret?.metadata?.annotations?.[CERTIFICATE_ANNOTATION];
  return {
    certificate: decoded(secret, isTls ? "tls.crt" : "crt.pem"),
    key: decoded(secret, isTls ? "tls.key" : "key.pem"),
    scheme: isTls ? "kubernetes.io/tls" : "linkerd.io/tls",
    owner:
      name === undefined
        ? deployerOf(secret?.metadata ?? {})
        : `renewed by cert-manager (Certificate ${name})`,
    ...(name !== undefined && { renewedBy: await readCertificate(access, name) }),
  };
}

async function readCertificate(access: ClusterAccess, name: string): Promise<IssuerCertificate> {
  const api = await connect(access, (k8s) => k8s.CustomObjectsApi, TIMEOUT_MS);
  const where = { group: "cert-manager.io", version: "v1", plural: "certificates" };
  // The answer is typed `any`: the client knows nothing of the kind.
  const certificate: unknown = await api.getNamespacedCustomObject({
    ...where,
    namespace: LINKERD_NAMESPACE,
    name,
  });
  return { ...(certificate as { readonly spec: Omit<IssuerCertificate, "name"> }).spec, name };
}

async function readWebhook(
  core: CoreV1Api,
  { service, namespace }: Pick<PresentWebhook, "service" | "namespace">,
  casOf: CasOf,
): Promise<PresentWebhook> {
  const secret = await unlessAbsent(core.readNamespacedSecret({ namespace, name: webhookSecret(service) }));
  const certificate = secret?.metadata?.annotations?.[CERTIFICATE_ANNOTATION];
  const owner = secret === undefined ? "no Secret" : deployerOf(secret.metadata ?? {});
  const cas = certificatesIn(casOf(namespace, service));
  const exists = secret !== undefined;
  return { service, namespace, exists, owner, cas, ...(certificate !== undefined && { certificate }) };
}

/** The certificates in a PEM text, each once. */
function certificatesIn(pem: string): string[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  return [...new Set(blocks)];
}

function decoded(secret: V1Secret | undefined, key: string): string {
  return Buffer.from(secret?.data?.[key] ?? "", "base64").toString();
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
