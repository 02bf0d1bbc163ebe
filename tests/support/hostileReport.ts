import type { Material } from "../../tools/report/report";
import type { PolicyObjects } from "../../tools/verify/policyObjects";
import type { Snapshot } from "../../tools/verify/snapshot";
import { testCertificate } from "./certificates";
import { healthySnapshot, type MeshCertificates, meshedPod, pod, withServer } from "./verifySnapshot";

/** What a page must show and not run, wherever a cluster can say it. */
export const HOSTILE = `</title></style></svg><script>document.title="owned"</script><img src=x onerror=alert(1)>"'`;

/** A stack's state with dependencies: a mesh of three parts and two workloads. */
export const STATE = ((): NonNullable<Material["state"]> => {
  const mesh = "urn:pulumi:dev::linkerd-mtls::linkerd-mtls:index:LinkerdMesh";
  const anchor = `${mesh}$linkerd-mtls:index:TrustAnchor::anchor`;
  const key = `${mesh}$linkerd-mtls:index:TrustAnchor$tls:index/privateKey:PrivateKey::anchor-key`;
  const plane = `${mesh}$linkerd-mtls:index:LinkerdControlPlane::plane`;
  const release = `${mesh}$linkerd-mtls:index:LinkerdControlPlane$kubernetes:helm.sh/v3:Release::plane-release`;
  const gate = `${mesh}$random:index/randomId:RandomId::gate`;
  const workload = (name: string) => ({
    urn: `${mesh}$linkerd-mtls:index:MeshedWorkload::${name}`,
    parent: `${mesh}::linkerd`,
    dependencies: [gate, anchor],
  });
  return [
    { urn: `${mesh}::linkerd` },
    { urn: anchor, parent: `${mesh}::linkerd` },
    { urn: key, parent: anchor },
    { urn: plane, parent: `${mesh}::linkerd` },
    { urn: release, parent: plane, dependencies: [key] },
    { urn: gate, parent: `${mesh}::linkerd`, dependencies: [release] },
    workload("web"),
    workload("api"),
  ];
})();

/** A policy for one port of `shop`, one that selects nothing, and one for a namespace. */
export function policyObjects(name: string): PolicyObjects {
  const metadata = { name, namespace: "shop" };
  return {
    servers: [
      { metadata, spec: { podSelector: { matchLabels: { "pod-template-hash": "5f6d" } }, port: 8080 } },
      {
        metadata: { ...metadata, name: "nothing" },
        spec: { podSelector: { matchLabels: { app: "x" } }, port: 1 },
      },
    ],
    authorizationpolicies: [
      {
        metadata,
        spec: {
          targetRef: { kind: "Server", name },
          requiredAuthenticationRefs: [{ kind: "MeshTLSAuthentication", name }],
        },
      },
      { metadata, spec: { targetRef: { kind: "Namespace", name: "shop" } } },
    ],
    meshtlsauthentications: [
      { metadata, spec: { identityRefs: [{ kind: "ServiceAccount", name: "front", namespace: "edge" }] } },
    ],
    networkauthentications: [],
    serverauthorizations: [],
  };
}

/** A mesh with a fault of each kind, in which every text is hostile that a cluster can make so. */
export async function hostileMaterial(certificates: MeshCertificates): Promise<Material> {
  const healthy = healthySnapshot(certificates);
  const old = await testCertificate(HOSTILE.replace(/[,;=<>"+]/g, ""), { days: [-30, -1] });
  const namespace = { metadata: { name: HOSTILE, annotations: { "linkerd.io/inject": "enabled" } } };
  const owned = (name: string) => ({
    namespace: HOSTILE,
    ownerReferences: [{ apiVersion: "v1", kind: "StatefulSet", name, uid: "1", controller: true }],
  });
  const snapshot: Snapshot = {
    ...healthy,
    namespaces: [...healthy.namespaces, namespace],
    pods: [
      ...healthy.pods,
      pod("outside", owned(HOSTILE)),
      pod("other", owned(`meshed ${HOSTILE}`), meshedPod("other", old).spec),
    ],
    mesh: {
      ...healthy.mesh,
      trustRoots: { data: { "ca-bundle.crt": `${certificates.anchor.certPem}\n${old.certPem}\n` } },
    },
    policies: policyObjects(HOSTILE),
    issuerEvents: [{ metadata: {}, involvedObject: {}, reason: "IssuerUpdateSkipped", message: HOSTILE }],
  };
  return {
    cluster: HOSTILE,
    snapshot: withServer(snapshot, "tap", () => ({ endpoints: 0 })),
    state: [...STATE, { urn: `urn:pulumi:dev::p::linkerd-mtls:index:LinkerdMesh$a:b:C::${HOSTILE}` }],
  };
}
