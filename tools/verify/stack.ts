import { type CaCertificate, parseCertificates } from "../../components/certificates/certificateFile";
import { secretOf } from "../../components/controlPlane/webhookServers";
import { chartVersion, LINKERD_VERSION } from "../../components/controlPlane/version";
import { LINKERD_NAMESPACE } from "../../components/controlPlane/linkerdNamespace";
import { INJECT_ANNOTATION, INJECT_MODE, isInjected } from "../../components/mesh/proxySettings";
import type { CertificateSummary } from "../../components/pki/certificateSummary";
import { DEFAULT_TRUST_DOMAIN } from "../../components/pki/deployedTrust";
import { IDENTITY_ISSUER_SECRET } from "../../components/pki/identityIssuer";
import { TRUST_ROOTS_KEY } from "../../components/trustManager/trustRoots";
import { type Check, check, type Group } from "./model";
import type { Snapshot } from "./snapshot";
import type { StackOutputs } from "./stackOutputs";

const CONTROL_PLANE_CHART = "linkerd-control-plane";

/** Version of a chart that follows from its release; those before 2024 did not. */
const BY_DATE = /^20\d\d\./;

/** Finds what differs between the cluster and what a stack says that it has deployed. */
export function checkStack(snapshot: Snapshot, outputs: StackOutputs): Group {
  const { withSecrets } = snapshot;
  return {
    group: "stack",
    checks: [
      check(
        "the trust bundle has the stack's trust anchors, and no other",
        bundle(snapshot, outputs),
        "drift",
      ),
      ...(withSecrets
        ? [check("issuer and webhooks have the stack's certificates", secrets(snapshot, outputs), "drift")]
        : [skipped()]),
      check("the API server has the stack's CAs of webhooks and tap", cas(snapshot, outputs), "drift"),
      check("the control plane is the stack's", controlPlane(snapshot, outputs), "drift", "warning"),
      check("the stack's namespaces are meshed", namespaces(snapshot, outputs), "drift", "warning"),
    ],
  };
}

function skipped(): Check {
  return {
    check: "issuer and webhooks have the stack's certificates",
    result: "skipped",
    note: "Secrets are not read",
  };
}

/** The certificates of a PEM text; none where there are none that can be read. */
function certificatesIn(pem = ""): readonly CaCertificate[] {
  const certificates = parseCertificates(pem);
  return typeof certificates === "string" ? [] : certificates;
}

function has(certificates: readonly CaCertificate[], { fingerprint }: CertificateSummary): boolean {
  return certificates.some(({ certificate }) => certificate.fingerprint256 === fingerprint);
}

function short(fingerprint: string): string {
  return `SHA-256 ${fingerprint.slice(0, 11)}...`;
}

function bundle({ mesh }: Snapshot, { trustAnchors }: StackOutputs): string[] {
  const anchors = certificatesIn(mesh.trustRoots?.data?.[TRUST_ROOTS_KEY]);
  const own = Object.values(trustAnchors).map(({ fingerprint }) => fingerprint);
  return [
    ...Object.entries(trustAnchors)
      .filter(([, anchor]) => !has(anchors, anchor))
      .map(([id, { fingerprint }]) => `lacks trust anchor ${id} (${short(fingerprint)})`),
    ...anchors
      .filter(({ certificate }) => !own.includes(certificate.fingerprint256))
      .map(({ subject, certificate }) => `has ${subject} (${short(certificate.fingerprint256)}) of others`),
  ];
}

function secrets({ mesh, servers }: Snapshot, { issuer, webhookCertificates }: StackOutputs): string[] {
  const stored = [
    [`${LINKERD_NAMESPACE}/${IDENTITY_ISSUER_SECRET}`, mesh.issuerPem, issuer] as const,
    ...servers.map(
      (server) =>
        [
          `${server.namespace}/${secretOf(server)}`,
          server.certificatePem,
          webhookCertificates[server.service],
        ] as const,
    ),
  ];
  return stored.flatMap(([name, pem, summary]) => {
    if (summary === undefined) return [];
    const [certificate] = certificatesIn(pem);
    return certificate !== undefined && has([certificate], summary)
      ? []
      : [`Secret ${name} has ${certificate === undefined ? "none" : "another one"}`];
  });
}

function cas({ servers }: Snapshot, { webhookCas }: StackOutputs): string[] {
  return servers.flatMap(({ kind, name, namespace, live }) => {
    const own = webhookCas[namespace];
    if (live === undefined || own === undefined) return [];
    const certificates = certificatesIn(live.caBundle);
    const fingerprints = Object.values(own).map(({ fingerprint }) => fingerprint);
    return [
      ...Object.entries(own)
        .filter(([, ca]) => !has(certificates, ca))
        .map(([generation]) => `${kind} ${name} lacks CA ${generation}`),
      ...certificates
        .filter(({ certificate }) => !fingerprints.includes(certificate.fingerprint256))
        .map(({ subject }) => `${kind} ${name} has ${subject} of others`),
    ];
  });
}

function controlPlane(
  { mesh: { values } }: Snapshot,
  { trustDomain, chartVersions }: StackOutputs,
): string[] {
  const { identityTrustDomain = DEFAULT_TRUST_DOMAIN, linkerdVersion } = values;
  const deployed = chartVersions[CONTROL_PLANE_CHART];
  return [
    ...(identityTrustDomain === trustDomain
      ? []
      : [`is of trust domain ${identityTrustDomain}, not ${trustDomain}`]),
    ...(!LINKERD_VERSION.allows(linkerdVersion) ||
    deployed === undefined ||
    !BY_DATE.test(deployed) ||
    chartVersion(linkerdVersion) === deployed
      ? []
      : [`is ${linkerdVersion}, not of chart version ${deployed}`]),
  ];
}

function namespaces(snapshot: Snapshot, { meshedNamespaces }: StackOutputs): string[] {
  const live = new Map(snapshot.namespaces.map(({ metadata }) => [metadata?.name, metadata]));
  return meshedNamespaces.flatMap((name) => {
    const metadata = live.get(name);
    if (metadata === undefined) return [`Namespace ${name} is not there`];
    const mode = metadata.annotations?.[INJECT_ANNOTATION];
    return INJECT_MODE.allows(mode) && isInjected(mode)
      ? []
      : [`Namespace ${name} has ${INJECT_ANNOTATION}: ${mode ?? "none"}`];
  });
}
