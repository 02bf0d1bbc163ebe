import * as pulumi from "@pulumi/pulumi";

import { MeshedNamespace, MeshedWorkload } from "../components";
import { SampleApplicationArgs } from "./sampleApplication";

const IMAGE = "buoyantio/helloworld:0.1.6";

/** Two services, `hello` that calls `world`, in the meshed namespace `hello-world`. */
export class HelloWorld extends pulumi.ComponentResource {
  /** Names of the meshed namespaces that it creates. */
  public readonly namespaces: pulumi.Output<string>[];

  public constructor(name: string, args: SampleApplicationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:HelloWorld", name, {}, opts);

    const { mesh } = args;
    const namespace = new MeshedNamespace("hello-world", { mesh }, { parent: this });
    const service = (service: string, port: number, ...containerArgs: string[]): MeshedWorkload =>
      new MeshedWorkload(
        service,
        {
          namespace: namespace.name,
          podSpec: {
            containers: [
              {
                name: service,
                image: IMAGE,
                args: [`-addr=:${port}`, ...containerArgs],
                ports: [{ name: "http", containerPort: port }],
              },
            ],
          },
          ports: [{ name: "http", port }],
          mesh,
        },
        { parent: this },
      );
    service("world", 7778, "-text=World");
    service("hello", 7777, "-text=Hello", "-target=world:7778");

    this.namespaces = [namespace.name];
    this.registerOutputs({ namespaces: this.namespaces });
  }
}
