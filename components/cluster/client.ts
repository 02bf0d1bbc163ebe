import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type * as client from "@kubernetes/client-node";
import type * as pulumi from "@pulumi/pulumi";

import type { Adoption } from "./adoption";

/**
 * Which cluster a hook asks: the one of the Kubernetes provider. An empty object is the ambient kubeconfig, as it is for
 * the provider. Where it is and who asks never reach the state.
 */
export interface ClusterAccess {
  /** Path or contents of a kubeconfig. Default: KUBECONFIG, then ~/.kube/config, then the pod's own cluster. */
  readonly kubeconfig?: string;
  /** Context in it. Default: its current one. */
  readonly context?: string;
  /**
   * What this stack writes on what it makes there, see `stackMark`. What exists and has another mark, or none, is not
   * changed. Default: the name of the stack, which does not tell that a state was lost.
   */
  readonly mark?: pulumi.Input<string>;
  /** What others have made there and this stack takes over all the same. Default: nothing. */
  readonly adopt?: Adoption;
}

/** One kubeconfig for each cluster, so that the token of a credential plugin is used until it expires. */
const KUBECONFIGS = new WeakMap<ClusterAccess, client.KubeConfig>();

/** Asks for lists of objects without specification and status, of which a cluster may have megabytes. */
export const METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/** A client whose requests give up after `timeoutMs`. `accept`: the form of an answer, where it is not the whole object. */
export async function connect<T extends client.ApiType>(
  access: ClusterAccess,
  api: (k8s: typeof client) => new (configuration: client.Configuration) => T,
  timeoutMs: number,
  accept?: string,
): Promise<T> {
  // Imported here, because a deployment that changes nothing asks nothing.
  const k8s = await import("@kubernetes/client-node");
  const kubeconfig = await kubeConfigOf(access);
  const cluster = kubeconfig.getCurrentCluster();
  if (cluster === null) {
    throw new Error(`the kubeconfig has no cluster for its context ${kubeconfig.getCurrentContext()}`);
  }
  const configuration = k8s.createConfiguration({
    baseServer: new k8s.ServerConfiguration(cluster.server, {}),
    authMethods: { default: within(timeoutMs, kubeconfig) },
    promiseMiddleware: [
      {
        pre: (request) => {
          // This timer does not keep the process alive.
          request.setSignal(AbortSignal.timeout(Math.ceil(timeoutMs)));
          if (accept !== undefined) {
            request.setHeaderParam("Accept", accept);
          }
          return Promise.resolve(request);
        },
        post: (response) => Promise.resolve(response),
      },
    ],
  });
  return new (api(k8s))(configuration);
}

/** The kubeconfig of a cluster, for what needs more than requests. */
export async function kubeConfigOf(access: ClusterAccess): Promise<client.KubeConfig> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const kubeconfig = KUBECONFIGS.get(access) ?? loadKubeConfig(new KubeConfig(), access);
  KUBECONFIGS.set(access, kubeconfig);
  return kubeconfig;
}

/** Credentials of a kubeconfig, of which a plugin may never answer: it has no deadline of its own. */
function within(timeoutMs: number, kubeconfig: client.KubeConfig): client.SecurityAuthentication {
  return {
    getName: () => "kubeconfig",
    applySecurityAuthentication: async (request) => {
      const overdue = new AbortController();
      // This timer does not keep the process alive either.
      const timeout = sleep(Math.ceil(timeoutMs), undefined, { ref: false, signal: overdue.signal }).then(
        () => {
          const user = kubeconfig.getCurrentUser();
          const name = user?.name ?? "?";
          const plugin = (user?.exec as { readonly command?: string } | undefined)?.command;
          const source = plugin === undefined ? "" : ` from ${plugin}`;
          throw new Error(
            `no credentials of user ${name}${source} within ${(timeoutMs / 1000).toFixed(1)} s`,
          );
        },
      );
      try {
        await Promise.race([kubeconfig.applySecurityAuthentication(request), timeout]);
      } finally {
        overdue.abort();
        timeout.catch(() => undefined);
      }
    },
  };
}

/** Loads the kubeconfig that the Kubernetes provider loads. */
function loadKubeConfig(config: client.KubeConfig, access: ClusterAccess): client.KubeConfig {
  if (access.kubeconfig === undefined || access.kubeconfig === "") {
    config.loadFromDefault();
  } else {
    const path = access.kubeconfig.startsWith("~/")
      ? join(homedir(), access.kubeconfig.slice(2))
      : access.kubeconfig;
    if (existsSync(path)) {
      config.loadFromFile(path);
    } else {
      config.loadFromString(access.kubeconfig);
    }
  }
  if (access.context !== undefined && access.context !== "") {
    config.setCurrentContext(access.context);
  }
  return config;
}

/** What an API server's refusal says, and its HTTP status; no status where there was no answer. */
export function describeError(error: unknown): { status?: number; message: string } {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "number") {
    return { message };
  }
  // A client-node ApiException: its body is a Status object, as text.
  const body = "body" in error ? error.body : undefined;
  try {
    const status: unknown = typeof body === "string" ? JSON.parse(body) : body;
    if (typeof status === "object" && status !== null && "message" in status) {
      return { status: error.code, message: String(status.message) };
    }
  } catch {
    // Not a Status; a proxy before the API server answered.
  }
  return { status: error.code, message };
}
