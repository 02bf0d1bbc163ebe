import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

/**
 * The label `config.linkerd.io/admission-webhooks=disabled` on kube-system, which keeps Linkerd's webhooks away from
 * it. The proxy injector of today's charts excludes the namespace by its name too; the validators and older releases
 * do not. It is a patch by server-side apply: it leaves the rest of the namespace alone and goes with the component.
 */
export class KubeSystemLabel extends pulumi.ComponentResource {
  public constructor(name: string, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:KubeSystemLabel", name, {}, opts);

    new k8s.core.v1.NamespacePatch(
      `${name}-patch`,
      { metadata: { name: "kube-system", labels: { "config.linkerd.io/admission-webhooks": "disabled" } } },
      { parent: this },
    );
    this.registerOutputs();
  }
}
