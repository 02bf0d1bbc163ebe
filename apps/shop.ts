import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { MeshedNamespace, MeshedWorkload } from "../components";
import { SampleApplicationArgs } from "./sampleApplication";
import { ShopIngress } from "./shopIngress";

/** Microsoft's sample of ASP.NET Core, which has only tags that move. */
const IMAGE = "mcr.microsoft.com/dotnet/samples:aspnetapp";
/** Port of ASP.NET Core in a container. */
const CONTAINER_PORT = 8080;
/** Port of each Service. */
const PORT = 80;

const HOST = "shop.example.com";

/**
 * A shop: the services `users`, `identity` and, in front of them, `web`, each in a meshed namespace of its own, behind
 * an ingress controller that is meshed by the annotation of its pods.
 */
export class Shop extends pulumi.ComponentResource {
  /** Names of the meshed namespaces that it creates; that of the ingress controller is not meshed. */
  public readonly namespaces: pulumi.Output<string>[];

  public constructor(name: string, args: SampleApplicationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:Shop", name, {}, opts);

    const users = this.service("users", args);
    const identity = this.service("identity", args, users);
    const web = this.service("web", args, users, identity);

    const controller = new ShopIngress("shop-ingress", args, { parent: this });
    new k8s.networking.v1.Ingress(
      "shop-web-ingress",
      {
        metadata: {
          name: web.name,
          namespace: web.namespace,
          annotations: {
            // A proxy in ingress mode takes the Service over whose endpoints it balances from this header.
            "nginx.org/location-snippets": pulumi.interpolate`proxy_set_header l5d-dst-override ${web.name}.${web.namespace}.svc.cluster.local:${PORT};`,
            // Its address comes from a load balancer, and not every cluster has one.
            "pulumi.com/skipAwait": "true",
          },
        },
        spec: {
          ingressClassName: controller.className,
          rules: [
            {
              host: HOST,
              http: {
                paths: [
                  {
                    path: "/",
                    pathType: "Prefix",
                    backend: { service: { name: web.name, port: { number: PORT } } },
                  },
                ],
              },
            },
          ],
        },
      },
      { parent: this },
    );

    this.namespaces = [users, identity, web].map(({ namespace }) => namespace);
    this.registerOutputs({ namespaces: this.namespaces });
  }

  /** A service in its own namespace; it finds those that it calls in its settings, e.g. `Services:users`. */
  private service(name: string, args: SampleApplicationArgs, ...called: Service[]): Service {
    const { mesh } = args;
    const namespace = new MeshedNamespace(`shop-${name}`, { mesh }, { parent: this }).name;
    new MeshedWorkload(
      `shop-${name}`,
      {
        name,
        namespace,
        podSpec: {
          containers: [
            {
              name,
              image: IMAGE,
              env: called.map((other) => ({
                // ASP.NET Core reads two underscores as a colon.
                name: `Services__${other.name}`,
                value: pulumi.interpolate`http://${other.name}.${other.namespace}`,
              })),
              ports: [{ name: "http", containerPort: CONTAINER_PORT }],
            },
          ],
        },
        ports: [{ name: "http", port: PORT, targetPort: CONTAINER_PORT }],
        mesh,
      },
      { parent: this },
    );
    return { name, namespace };
  }
}

/** Where a service is. */
interface Service {
  readonly name: string;
  readonly namespace: pulumi.Output<string>;
}
