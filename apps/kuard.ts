import * as pulumi from "@pulumi/pulumi";

import { MeshedNamespace, MeshedWorkload } from "../components";
import { SampleApplicationArgs } from "./sampleApplication";

/**
 * kuard, the demonstration of "Kubernetes: Up and Running", in the namespace `default`. That namespace is not meshed and
 * stays as it is: the pods are meshed by their own annotation.
 */
export class Kuard extends pulumi.ComponentResource {
  /** Names of the meshed namespaces that it creates: none. */
  public readonly namespaces: pulumi.Output<string>[] = [];

  public constructor(name: string, args: SampleApplicationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:Kuard", name, {}, opts);

    const { mesh } = args;
    const namespace = new MeshedNamespace("default", { existing: true, mesh }, { parent: this });
    new MeshedWorkload(
      "kuard",
      {
        namespace: namespace.name,
        inject: "enabled",
        podSpec: {
          containers: [
            {
              name: "kuard",
              image: "gcr.io/kuar-demo/kuard-amd64:blue",
              ports: [{ name: "http", containerPort: 8080 }],
              livenessProbe: { httpGet: { path: "/healthy", port: "http" } },
              readinessProbe: { httpGet: { path: "/ready", port: "http" } },
            },
          ],
        },
        ports: [{ name: "http", port: 80, targetPort: 8080 }],
        mesh,
      },
      { parent: this },
    );
    this.registerOutputs({ namespaces: this.namespaces });
  }
}
