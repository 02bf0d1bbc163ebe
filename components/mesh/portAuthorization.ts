import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { DEFAULT_LINKERD_VERSION, isOlder, LinkerdVersion } from "../controlPlane/version";
import { throwInputProblems } from "../validation/inputProblems";
import { CONTAINER_PORT } from "../validation/ports";
import { check, within } from "../validation/problem";
import { DNS_LABEL } from "../validation/rule";
import { clientProblems, Clients, PROXY_PROTOCOL, ProxyProtocol } from "./clients";

/** Rule of {@link PortAuthorizationArgs.workload}. */
export const WORKLOAD_LABEL = {
  ...DNS_LABEL,
  rule: "must be a value of the label app.kubernetes.io/name, as a string",
};
import { Mesh } from "../injection/mesh";

/** API group of Linkerd's policies. */
const GROUP = "policy.linkerd.io";

/** Arguments of a {@link PortAuthorization}. */
export interface PortAuthorizationArgs {
  /** Namespace of the pods. */
  readonly namespace: pulumi.Input<string>;
  /** The pods with this value of the label `app.kubernetes.io/name`. Default: all pods of the namespace. */
  readonly workload?: string;
  /**
   * Port of their containers: its number, or its name. No other `Server` may have the same port of the same pods, nor the
   * same {@link serverName} in the namespace.
   */
  readonly port: number | string;
  /**
   * Protocol of the port; the pods' opaque ports have no effect on one that is described here. Default `unknown`: it is
   * detected.
   */
  readonly protocol?: ProxyProtocol;
  /** Who may connect. */
  readonly clients: Clients;
  /** The mesh, whose release decides which version of `Server` is asked for. Default: the default release. */
  readonly mesh?: Pick<Mesh, "linkerdVersion">;
}

/**
 * Lets only these clients connect to a port of meshed pods, whatever the pods' default inbound policy is: the port becomes
 * a `Server`, and each kind of clients gets an `AuthorizationPolicy` for it. HTTP probes of the kubelet are let in by
 * Linkerd itself. Source: https://linkerd.io/2/reference/authorization-policy/
 */
export class PortAuthorization extends pulumi.ComponentResource {
  public constructor(name: string, args: PortAuthorizationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:PortAuthorization", name, {}, opts);
    checkArgs(name, args);

    const { workload, port, protocol = "unknown" } = args;
    const version = serverVersion(args.mesh?.linkerdVersion ?? DEFAULT_LINKERD_VERSION);
    const { namespaces = [], serviceAccounts = [], networks = [] } = args.clients;
    const server = serverName(args);
    const metadata = (objectName: string): Metadata => ({ name: objectName, namespace: args.namespace });

    new k8s.apiextensions.CustomResource(
      `${name}-server`,
      {
        apiVersion: `${GROUP}/${version}`,
        kind: "Server",
        metadata: metadata(server),
        spec: {
          podSelector: workload === undefined ? {} : { matchLabels: { "app.kubernetes.io/name": workload } },
          port,
          proxyProtocol: protocol,
        },
      },
      // The version is a part of the type; in another one it is the same object.
      {
        parent: this,
        aliases: SERVER_VERSIONS.filter((other) => other !== version).map((other) => ({
          type: `kubernetes:${GROUP}/${other}:Server`,
        })),
      },
    );

    /** Lets in whom the authentication knows: a policy's authentications must all hold, several policies need not. */
    const letIn = (suffix: string, kind: string, spec: object): void => {
      const authentication = { apiVersion: `${GROUP}/v1alpha1`, kind, metadata: metadata(server), spec };
      new k8s.apiextensions.CustomResource(`${name}-${suffix}`, authentication, { parent: this });
      const policy = {
        apiVersion: `${GROUP}/v1alpha1`,
        kind: "AuthorizationPolicy",
        metadata: metadata(`${server}-${suffix}`),
        spec: {
          targetRef: { group: GROUP, kind: "Server", name: server },
          requiredAuthenticationRefs: [{ group: GROUP, kind, name: server }],
        },
      };
      new k8s.apiextensions.CustomResource(`${name}-${suffix}-policy`, policy, { parent: this });
    };
    const identityRefs = [
      ...namespaces.map((client) => ({ kind: "Namespace", name: client })),
      ...serviceAccounts.map(serviceAccountRef),
    ];
    if (identityRefs.length > 0) {
      letIn("identities", "MeshTLSAuthentication", { identityRefs });
    }
    if (networks.length > 0) {
      letIn("networks", "NetworkAuthentication", { networks: networks.map((cidr) => ({ cidr })) });
    }
    this.registerOutputs();
  }
}

/** Name of the `Server`. Ports of different pods can have the same: port `alt` of `web-http`, port `http-alt` of `web`. */
export function serverName({ workload, port }: Pick<PortAuthorizationArgs, "workload" | "port">): string {
  return `${workload ?? "all"}-${port}`;
}

interface Metadata {
  readonly name: string;
  readonly namespace: pulumi.Input<string>;
}

/** Versions of `Server` in use. */
const SERVER_VERSIONS = ["v1beta1", "v1beta3"] as const;

/** Releases before 2025 need not have the newer version; those since then call the older one deprecated. */
function serverVersion(release: LinkerdVersion): (typeof SERVER_VERSIONS)[number] {
  return isOlder(release, "edge-25.1.1") ? "v1beta1" : "v1beta3";
}

function serviceAccountRef(client: string): { kind: string; namespace: string; name: string } {
  const [namespace = "", name = ""] = client.split("/");
  return { kind: "ServiceAccount", namespace, name };
}

function checkArgs(name: string, { workload, port, protocol, clients }: PortAuthorizationArgs): void {
  throwInputProblems(`PortAuthorization ${name}`, [
    ...check("workload", workload, WORKLOAD_LABEL),
    ...check("port", port, CONTAINER_PORT),
    ...check("protocol", protocol, PROXY_PROTOCOL),
    ...within("clients", clientProblems(clients)),
  ]);
}
