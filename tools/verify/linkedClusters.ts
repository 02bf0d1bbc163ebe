import { type CoreV1Api, KubeConfig, type User } from "@kubernetes/client-node";
import { parse } from "yaml";

import { type ClusterAccess, connect, describeError } from "../../components/cluster/client";
import { unlessAbsent } from "../../components/controlPlane/deployedMesh";
import { LINKERD_NAMESPACE } from "../../components/controlPlane/linkerdNamespace";
import { IDENTITY_ISSUER_SECRET } from "../../components/pki/identityIssuer";
import { TRUST_ROOTS, TRUST_ROOTS_KEY } from "../../components/trustManager/trustRoots";
import { listObjects } from "./customObjects";

const GROUP = "multicluster.linkerd.io";

/** Versions in which Links are asked for. */
const VERSIONS = ["v1alpha3", "v1alpha2", "v1alpha1"];

/** A Link to another cluster, as far as it matters here. */
interface Link {
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly spec: {
    readonly clusterCredentialsSecret?: string;
    readonly targetClusterLinkerdNamespace?: string;
  };
}

/** What the other end of a Link trusts. */
export interface LinkedCluster {
  /** Namespace and name of the Link. */
  readonly link: string;
  /** Why it could not be asked. */
  readonly unknown?: string;
  /** Its trust bundle; PEM. */
  readonly bundle: string;
  /** Its issuer, where the Link's user may read it. Never its key. */
  readonly issuerPem?: string;
}

/** How long another cluster may take for one answer, in milliseconds. */
const TIMEOUT_MS = 5_000;

/** Asks the clusters of all Links, as the users of their kubeconfigs. */
export async function readLinkedClusters(access: ClusterAccess, timeoutMs: number): Promise<LinkedCluster[]> {
  const [api, core] = await Promise.all([
    connect(access, (k8s) => k8s.CustomObjectsApi, timeoutMs),
    connect(access, (k8s) => k8s.CoreV1Api, timeoutMs),
  ]);
  const links = (await listObjects(api, GROUP, "links", VERSIONS)) as Link[];
  return Promise.all(
    links.map(async ({ metadata: { namespace, name }, spec }) => {
      const link = `${namespace}/${name}`;
      try {
        const secret = spec.clusterCredentialsSecret ?? `cluster-credentials-${name}`;
        const kubeconfig = await readKubeconfig(core, namespace, secret);
        return { link, ...(await readTrust(kubeconfig, spec.targetClusterLinkerdNamespace)) };
      } catch (error) {
        return { link, unknown: describeError(error).message, bundle: "" };
      }
    }),
  );
}

async function readKubeconfig(core: CoreV1Api, namespace: string, name: string): Promise<string> {
  const secret = await unlessAbsent(core.readNamespacedSecret({ namespace, name }));
  const text = Buffer.from(secret?.data?.kubeconfig ?? "", "base64").toString();
  if (text === "") throw new Error(`Secret ${namespace}/${name} has no kubeconfig`);
  const kubeconfig = new KubeConfig();
  kubeconfig.loadFromString(text);
  const cluster = kubeconfig.getCurrentCluster();
  if (cluster === null) throw new Error(`the kubeconfig in Secret ${namespace}/${name} has no cluster`);
  if (cluster.caFile !== undefined || kubeconfig.users.some(usesThisMachine)) {
    throw new Error(`the kubeconfig in Secret ${namespace}/${name} runs programs or reads files: not used`);
  }
  return text;
}

/** Whoever writes the Secret must not run programs of whoever verifies, nor send files away. */
function usesThisMachine({ exec, authProvider, certFile, keyFile, ...user }: User): boolean {
  const { tokenFile } = user as { readonly tokenFile?: string };
  return [exec, authProvider, certFile, keyFile, tokenFile].some((each) => each !== undefined);
}

/** The chart's user of a Link may read `linkerd-config` alone, which has the bundle unless trust-manager writes it. */
async function readTrust(
  kubeconfig: string,
  namespace = LINKERD_NAMESPACE,
): Promise<Pick<LinkedCluster, "bundle" | "issuerPem">> {
  const core = await connect({ kubeconfig }, (k8s) => k8s.CoreV1Api, TIMEOUT_MS);
  const [roots, config, secret] = await Promise.all([
    unlessHidden(core.readNamespacedConfigMap({ namespace, name: TRUST_ROOTS })),
    unlessHidden(core.readNamespacedConfigMap({ namespace, name: "linkerd-config" })),
    unlessHidden(core.readNamespacedSecret({ namespace, name: IDENTITY_ISSUER_SECRET })),
  ]);
  const { identityTrustAnchorsPEM: configured = "" } = (parse(config?.data?.values ?? "") ?? {}) as {
    readonly identityTrustAnchorsPEM?: string;
  };
  const bundle = roots?.data?.[TRUST_ROOTS_KEY] ?? configured;
  if (bundle === "") throw new Error("its trust bundle is not there, or its user must not read it");
  const issuer = secret?.data?.["tls.crt"];
  return { bundle, ...(issuer !== undefined && { issuerPem: Buffer.from(issuer, "base64").toString() }) };
}

/** What a request answers; undefined where there is no such object, or the user must not read it. */
async function unlessHidden<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await unlessAbsent(request);
  } catch (error) {
    if (describeError(error).status === 403) return undefined;
    throw error;
  }
}
