import type { Target } from "./target";

/** As many as the replicas of a component that must be on different nodes. */
const HIGH_AVAILABILITY_NODES = 3;

/**
 * Gives a sandbox more nodes, which kwok runs like the first: with high availability each replica of the control plane needs
 * a node of its own.
 */
export async function ensureNodes({ cluster }: Target): Promise<void> {
  const { ApiException, CoreV1Api, KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  config.loadFromFile(cluster.kubeconfig ?? "");
  const api = config.makeApiClient(CoreV1Api);
  const [first] = (await api.listNode()).items;
  for (let number = 2; number <= HIGH_AVAILABILITY_NODES; number++) {
    const name = `${first?.metadata?.name ?? "node"}-${number}`;
    const labels = { "kubernetes.io/os": "linux", "kubernetes.io/hostname": name };
    const { podCIDR, podCIDRs } = first?.spec ?? {};
    try {
      await api.createNode({ body: { metadata: { name, labels }, spec: { podCIDR, podCIDRs } } });
    } catch (error) {
      if (!(error instanceof ApiException && error.code === CONFLICT)) throw error;
    }
  }
}

/** The object exists already. */
const CONFLICT = 409;
