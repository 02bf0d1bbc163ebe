import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { MeshedNamespace, MeshedWorkload, type MeshedWorkloadArgs } from "../components";
import { SampleApplicationArgs } from "./sampleApplication";

const NAMESPACE = "emojivoto";

const image = (service: string): string => `docker.l5d.io/buoyantio/emojivoto-${service}:v11`;

/** One of the application's programs. */
interface Program {
  readonly name: string;
  readonly image: string;
  readonly command?: string[];
  readonly env: Readonly<Record<string, string>>;
  /** Ports of the container, by name. */
  readonly containerPorts?: Readonly<Record<string, number>>;
  readonly ports?: MeshedWorkloadArgs["ports"];
  readonly cpu: string;
}

const GRPC = { grpc: 8080, prom: 8801 };
const GRPC_SERVICE = [
  { name: "grpc", port: GRPC.grpc },
  { name: "prom", port: GRPC.prom },
];

const PROGRAMS: readonly Program[] = [
  ...["emoji", "voting"].map((name) => ({
    name,
    image: image(`${name}-svc`),
    env: { GRPC_PORT: String(GRPC.grpc), PROM_PORT: String(GRPC.prom) },
    containerPorts: GRPC,
    ports: GRPC_SERVICE,
    cpu: "100m",
  })),
  {
    name: "web",
    image: image("web"),
    env: {
      WEB_PORT: "8080",
      EMOJISVC_HOST: `emoji.${NAMESPACE}:${GRPC.grpc}`,
      VOTINGSVC_HOST: `voting.${NAMESPACE}:${GRPC.grpc}`,
      INDEX_BUNDLE: "dist/index_bundle.js",
    },
    containerPorts: { http: 8080 },
    ports: [{ name: "http", port: 80, targetPort: 8080 }],
    cpu: "100m",
  },
  {
    name: "vote-bot",
    image: image("web"),
    command: ["emojivoto-vote-bot"],
    env: { WEB_HOST: `web.${NAMESPACE}:80` },
    cpu: "10m",
  },
];

/**
 * Linkerd's demonstration in the meshed namespace `emojivoto`: a website over two gRPC services, and a program that
 * votes all the time. Each has its ServiceAccount, and so an identity of its own.
 */
export class Emojivoto extends pulumi.ComponentResource {
  /** Names of the meshed namespaces that it creates. */
  public readonly namespaces: pulumi.Output<string>[];

  public constructor(name: string, args: SampleApplicationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:Emojivoto", name, {}, opts);

    const { mesh } = args;
    const namespace = new MeshedNamespace(NAMESPACE, { mesh }, { parent: this });
    for (const { cpu, env, containerPorts = {}, ports, ...container } of PROGRAMS) {
      const account = new k8s.core.v1.ServiceAccount(
        `${NAMESPACE}-${container.name}-account`,
        { metadata: { name: container.name, namespace: namespace.name } },
        { parent: this },
      );
      new MeshedWorkload(
        `${NAMESPACE}-${container.name}`,
        {
          name: container.name,
          namespace: namespace.name,
          podSpec: {
            serviceAccountName: account.metadata.name,
            containers: [
              {
                ...container,
                env: Object.entries(env).map(([variable, value]) => ({ name: variable, value })),
                ports: Object.entries(containerPorts).map(([port, containerPort]) => ({
                  name: port,
                  containerPort,
                })),
                resources: { requests: { cpu } },
              },
            ],
          },
          ports,
          mesh,
        },
        { parent: this },
      );
    }

    this.namespaces = [namespace.name];
    this.registerOutputs({ namespaces: this.namespaces });
  }
}
