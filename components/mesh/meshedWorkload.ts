import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { InjectionGate } from "../controlPlane/injectionGate";
import { sha256 } from "../pki/certificate";

/** Annotation of the pod template that changes with the trust bundle. */
const TRUST_BUNDLE_ANNOTATION = "linkerd-mtls/trust-bundle-sha256";

/** Arguments of a {@link MeshedWorkload}. */
export interface MeshedWorkloadArgs {
  /** Namespace, e.g. the name of a `MeshedNamespace`. */
  readonly namespace: pulumi.Input<string>;
  /** The containers, as in a pod's specification. */
  readonly containers: pulumi.Input<pulumi.Input<k8s.types.input.core.v1.Container>[]>;
  /** Number of pods. Default 1. */
  readonly replicas?: pulumi.Input<number>;
  /** Port of the Service, and of the pods behind it. Default: no Service. */
  readonly port?: pulumi.Input<number>;
  /**
   * PEMs of all trust anchors. A proxy gets them when its pod is created, so the pods are rolled when they change.
   */
  readonly trustBundlePem: pulumi.Input<string>;
  /** Opens when pods are injected; asked before each roll-out. Default: none, for a mesh that others have installed. */
  readonly gate?: InjectionGate;
}

/** A Deployment, with a Service if it has a port, that rolls by itself when the trust bundle changes. Both are called like the component. */
export class MeshedWorkload extends pulumi.ComponentResource {
  /** Name of the Deployment. */
  public readonly name: pulumi.Output<string>;

  public constructor(name: string, args: MeshedWorkloadArgs, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:MeshedWorkload", name, {}, opts);

    const labels = { "app.kubernetes.io/name": name };
    const metadata = { name, namespace: args.namespace, labels };
    const deployment = new k8s.apps.v1.Deployment(
      `${name}-deployment`,
      {
        metadata,
        spec: {
          replicas: args.replicas ?? 1,
          selector: { matchLabels: labels },
          template: {
            metadata: {
              labels,
              annotations: { [TRUST_BUNDLE_ANNOTATION]: pulumi.output(args.trustBundlePem).apply(sha256) },
            },
            spec: { containers: args.containers },
          },
        },
      },
      {
        parent: this,
        ...(args.gate && {
          // A new trust bundle rolls the control plane first, and the gate asks about it again.
          dependsOn: args.gate,
          hooks: { beforeCreate: [args.gate.hook], beforeUpdate: [args.gate.hook] },
        }),
      },
    );
    if (args.port !== undefined) {
      new k8s.core.v1.Service(
        `${name}-service`,
        {
          // Its endpoints are the Deployment's pods, which are awaited already; to await it too costs 10 s each time.
          metadata: { ...metadata, annotations: { "pulumi.com/skipAwait": "true" } },
          spec: { selector: labels, ports: [{ name: "http", port: args.port }] },
        },
        { parent: this },
      );
    }

    this.name = deployment.metadata.name;
    this.registerOutputs({ name: this.name });
  }
}
