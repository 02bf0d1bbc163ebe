import * as pulumi from "@pulumi/pulumi";

import { CONTROL_PLANE_NAMESPACE_LABELS } from "../trustManager/trustRoots";
import { ClusterAccess } from "../cluster/client";
import { ownNamespace } from "../cluster/ownership";
import { POD_SECURITY_LABEL } from "../cluster/podSecurity";

/** Name of Linkerd's namespace; its command-line tool expects it. */
export const LINKERD_NAMESPACE = "linkerd";

/** Name of viz's namespace; Linkerd's documentation and tools use it. */
export const VIZ_NAMESPACE = "linkerd-viz";

/** Arguments of a {@link LinkerdNamespace}. */
export interface LinkerdNamespaceArgs {
  /** Whether the cluster has Linkerd's CNI plugin, so that no pod here needs privileges. Default false. */
  readonly cniEnabled?: boolean;
  /** The cluster, the same as the Kubernetes provider's. */
  readonly cluster: ClusterAccess;
}

/**
 * The level of pod security under which Linkerd's own pods can start: the init container linkerd-init needs NET_ADMIN
 * and NET_RAW; where the CNI plugin does its work there is none.
 */
export function linkerdPodSecurity(cniEnabled = false): Record<string, string> {
  return { [POD_SECURITY_LABEL]: cniEnabled ? "restricted" : "privileged" };
}

/**
 * Linkerd's namespace. Helm never sets a namespace's metadata, so the labels that the injector's webhook, `linkerd
 * check` and trust-manager look for are there before the first release is.
 */
export class LinkerdNamespace extends pulumi.ComponentResource {
  /** Name of the namespace: `linkerd`. */
  public readonly name: pulumi.Output<string>;

  public constructor(name: string, args: LinkerdNamespaceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:LinkerdNamespace", name, {}, opts);

    const namespace = ownNamespace(
      `${name}-namespace`,
      {
        name: LINKERD_NAMESPACE,
        labels: {
          ...CONTROL_PLANE_NAMESPACE_LABELS,
          "linkerd.io/control-plane-ns": LINKERD_NAMESPACE,
          // The injector must not be asked about its own pods, or nothing could start.
          "config.linkerd.io/admission-webhooks": "disabled",
          ...linkerdPodSecurity(args.cniEnabled),
        },
        annotations: { "linkerd.io/inject": "disabled" },
      },
      args.cluster,
      { parent: this },
    );

    this.name = namespace.metadata.name;
    this.registerOutputs({ name: this.name });
  }
}
