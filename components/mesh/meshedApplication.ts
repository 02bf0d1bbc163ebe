import * as pulumi from "@pulumi/pulumi";

import { Mesh } from "../injection/mesh";
import { ApplicationNamespace, Authorization } from "./application";
import { MeshedNamespace } from "./meshedNamespace";
import { MeshedWorkload } from "./meshedWorkload";
import { PortAuthorization, serverName } from "./portAuthorization";
import { isInjected } from "./proxySettings";

/** Arguments of {@link meshedApplication}. */
export interface MeshedApplicationArgs extends ApplicationNamespace {
  readonly mesh: Mesh;
  /**
   * Authorization of a Prometheus that scrapes the proxies, for pods whose default inbound policy denies it and whose
   * `authorization` does not cover the port. Default: none.
   */
  readonly scrapes?: Authorization;
  /** Whether the namespace must be unprotected before it can be deleted; not an existing one. Default false. */
  readonly protect?: boolean;
}

/**
 * Deploys a namespace with its workloads, and who may connect to them. It is a function, because a component for each
 * namespace would be one more resource of every preview.
 */
export function meshedApplication(
  name: string,
  args: MeshedApplicationArgs,
  parent: pulumi.Resource,
): MeshedNamespace {
  const { mesh, proxy, workloads = [], existing = false, protect = false } = args;
  const inject = args.inject ?? (existing ? undefined : "enabled");
  const namespace = new MeshedNamespace(
    name,
    {
      name: args.name,
      existing,
      inject,
      podSecurity: args.podSecurity,
      proxy,
      injectedByPod: workloads.some((workload) => isInjected(workload.inject)),
      mesh,
    },
    { parent, protect: protect && !existing },
  );
  const authorizations = authorizationsOf(args).map(
    (port) =>
      new PortAuthorization(
        `${name}/${serverName(port)}`,
        { ...port, namespace: namespace.name, mesh },
        // The gate opens after Linkerd's custom resource definitions are installed.
        { parent, dependsOn: mesh.gate },
      ),
  );
  for (const workload of workloads) {
    new MeshedWorkload(
      `${name}/${workload.name}`,
      { ...workload, namespace: namespace.name, inherited: { inject, proxy }, mesh },
      // No client is refused because its authorization came later.
      { parent, dependsOn: authorizations },
    );
  }
  return namespace;
}

function authorizationsOf({
  proxy,
  workloads = [],
  authorization = [],
  scrapes,
}: MeshedApplicationArgs): readonly Authorization[] {
  const denied = [{ proxy }, ...workloads].some((pods) => pods.proxy?.defaultInboundPolicy === "deny");
  const covered = authorization.some(({ port }) => port === scrapes?.port);
  return scrapes !== undefined && denied && !covered ? [...authorization, scrapes] : authorization;
}
