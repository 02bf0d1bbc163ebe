import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { InjectionGate } from "../controlPlane/injectionGate";
import { MeshGuard } from "../controlPlane/meshGuard";

/** How pods of a namespace are injected; `ingress` is for ingress controllers that choose endpoints themselves. */
export type InjectMode = "enabled" | "ingress";

/** Arguments of a {@link MeshedNamespace}. */
export interface MeshedNamespaceArgs {
  /** Default `enabled`. */
  readonly inject?: InjectMode;
  /** Opens when pods are injected. Default: none, for a mesh that others have installed. */
  readonly gate?: InjectionGate;
  /** Refuses pods without a proxy. Default: none, for a mesh that others have installed. */
  readonly guard?: MeshGuard;
}

/** A namespace whose pods are injected. The namespace is called like the component. */
export class MeshedNamespace extends pulumi.ComponentResource {
  /** Name of the namespace. */
  public readonly name: pulumi.Output<string>;

  public constructor(name: string, args: MeshedNamespaceArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:MeshedNamespace", name, {}, opts);

    const inject = args.inject ?? "enabled";
    if (!["enabled", "ingress"].includes(inject)) {
      throw new pulumi.InputPropertyError({
        propertyPath: "inject",
        reason: `must be enabled or ingress, but is ${inject as string}`,
      });
    }

    const namespace = new k8s.core.v1.Namespace(
      `${name}-namespace`,
      { metadata: { name, annotations: { "linkerd.io/inject": inject } } },
      {
        parent: this,
        // A pod may be created here as soon as the namespace exists: injection has been proven by then, and the guard
        // outlives the last pod.
        dependsOn: [args.gate, args.guard].filter((resource) => resource !== undefined),
      },
    );

    this.name = namespace.metadata.name;
    this.registerOutputs({ name: this.name });
  }
}
