import * as pulumi from "@pulumi/pulumi";

import { InjectionGate, MeshedNamespace, MeshedWorkload, MeshGuard } from "../components";

const IMAGE = "buoyantio/helloworld:0.1.6";

/** Arguments of {@link HelloWorld}. */
export interface HelloWorldArgs {
  readonly gate: InjectionGate;
  readonly guard: MeshGuard;
  /** PEMs of all trust anchors. */
  readonly trustBundlePem: pulumi.Input<string>;
}

/** Two services, `hello` that calls `world`, in the meshed namespace `hello-world`. */
export class HelloWorld extends pulumi.ComponentResource {
  /** Name of the namespace. */
  public readonly namespace: pulumi.Output<string>;

  public constructor(name: string, args: HelloWorldArgs, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:HelloWorld", name, {}, opts);

    const { gate, guard, trustBundlePem } = args;
    const namespace = new MeshedNamespace("hello-world", { gate, guard }, { parent: this });
    const service = (service: string, port: number, ...containerArgs: string[]): MeshedWorkload =>
      new MeshedWorkload(
        service,
        {
          namespace: namespace.name,
          containers: [
            {
              name: service,
              image: IMAGE,
              args: [`-addr=:${port}`, ...containerArgs],
              ports: [{ name: "http", containerPort: port }],
            },
          ],
          port,
          trustBundlePem,
          gate,
        },
        { parent: this },
      );
    service("world", 7778, "-text=World");
    service("hello", 7777, "-text=Hello", "-target=world:7778");

    this.namespace = namespace.name;
    this.registerOutputs({ namespace: this.namespace });
  }
}
