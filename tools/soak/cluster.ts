import {
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  PatchStrategy,
  setHeaderOptions,
} from "@kubernetes/client-node";

const GROUP = { group: "cert-manager.io", version: "v1", plural: "certificates" };

/** Namespaces of the certificates that are renewed. */
export const NAMESPACES = ["linkerd", "linkerd-viz"] as const;

/** Where the dry runs create their pod; its pods are injected. */
const MESHED = "emojivoto";

/** Lifetime and renewal of a Certificate, in Go's notation. */
export interface Lifetime {
  readonly duration: string;
  readonly renewBefore: string;
}

/** A Certificate, as far as it matters here. */
interface Certificate {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly secretName: string; readonly isCA?: boolean };
}

/** A Certificate by its place, and the Secret that it writes. */
export interface Renewed {
  readonly namespace: string;
  readonly name: string;
  readonly secretName: string;
}

/** What the soak asks of the cluster. */
export class SoakCluster {
  private readonly core: CoreV1Api;
  private readonly custom: CustomObjectsApi;

  public constructor(kubeconfig: string) {
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    this.core = config.makeApiClient(CoreV1Api);
    this.custom = config.makeApiClient(CustomObjectsApi);
  }

  /**
   * Gives every Certificate of Linkerd a short life. cert-manager's webhook wants an hour at least, except in namespaces
   * with its own label; the controller reissues at once, because the duration has changed.
   */
  public async shorten(lifetimeOf: (name: string) => Lifetime): Promise<Renewed[]> {
    const merge = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);
    const all: Renewed[] = [];
    for (const namespace of NAMESPACES) {
      const labels = { "cert-manager.io/disable-validation": "true" };
      await this.core.patchNamespace({ name: namespace, body: { metadata: { labels } } }, merge);
      const list = (await this.custom.listNamespacedCustomObject({ ...GROUP, namespace })) as {
        items: Certificate[];
      };
      for (const { metadata, spec } of list.items) {
        const { name } = metadata;
        await this.custom.patchNamespacedCustomObject(
          { ...GROUP, namespace, name, body: { spec: lifetimeOf(name) } },
          merge,
        );
        all.push({ namespace, name, secretName: spec.secretName });
      }
    }
    return all;
  }

  /** The certificate that a Secret has at the moment, in base64. */
  public async certificate({ namespace, secretName }: Renewed): Promise<string> {
    const { data } = await this.core.readNamespacedSecret({ namespace, name: secretName });
    return data?.["tls.crt"] ?? "";
  }

  /** Whether a pod that were created now would have its proxy: a server-side dry run. */
  public async admits(): Promise<boolean> {
    const { spec } = await this.core.createNamespacedPod({
      namespace: MESHED,
      dryRun: "All",
      body: {
        metadata: { generateName: "soak-" },
        spec: { containers: [{ name: "main", image: "registry.k8s.io/pause:3.10" }] },
      },
    });
    const { containers = [], initContainers = [] } = spec ?? {};
    return [...containers, ...initContainers].some(({ name }) => name === "linkerd-proxy");
  }

  /** How often Linkerd's identity has said that, by reason of the event. */
  public async identityEvents(reason: "IssuerUpdated" | "IssuerUpdateSkipped"): Promise<number> {
    const { items } = await this.core.listNamespacedEvent({
      namespace: "linkerd",
      fieldSelector: `reason=${reason}`,
    });
    return items.reduce((sum, { count = 1 }) => sum + count, 0);
  }
}
