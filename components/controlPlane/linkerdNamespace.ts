import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

/** Name of Linkerd's namespace; its command-line tool expects it. */
export const LINKERD_NAMESPACE = "linkerd";

/**
 * Linkerd's namespace. Helm never sets a namespace's metadata, so the labels that the injector's webhook, `linkerd
 * check` and trust-manager look for are there before the first release is.
 */
export class LinkerdNamespace extends pulumi.ComponentResource {
  /** Name of the namespace: `linkerd`. */
  public readonly name: pulumi.Output<string>;

  public constructor(name: string, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:LinkerdNamespace", name, {}, opts);

    const namespace = new k8s.core.v1.Namespace(
      `${name}-namespace`,
      {
        metadata: {
          name: LINKERD_NAMESPACE,
          labels: {
            "linkerd.io/is-control-plane": "true",
            "linkerd.io/control-plane-ns": LINKERD_NAMESPACE,
            // The injector must not be asked about its own pods, or nothing could start.
            "config.linkerd.io/admission-webhooks": "disabled",
            // linkerd-init needs NET_ADMIN and NET_RAW.
            "pod-security.kubernetes.io/enforce": "privileged",
          },
          annotations: { "linkerd.io/inject": "disabled" },
        },
      },
      { parent: this },
    );

    this.name = namespace.metadata.name;
    this.registerOutputs({ name: this.name });
  }
}
