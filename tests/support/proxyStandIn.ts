import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createSecureContext, createServer as createTlsServer } from "node:tls";

import { CoreV1Api, type V1Pod } from "@kubernetes/client-node";

import { isLive, proxyOf } from "../../components/cluster/meshedPods";
import type { ProxyIdentity } from "./identityLeaf";
import type { TestSandbox } from "./testSandbox";

/** Port on which a proxy answers about itself. */
const ADMIN_PORT = 4191;

/** Stops what stands in for proxies. */
export type Stop = () => Promise<void>;

/** Answers at the address of a pod as its proxy does to TLS for its own identity, and to no other name. */
export async function showIdentity(
  sandbox: TestSandbox,
  pod: V1Pod,
  {
    identity,
    chain,
    keyPem,
  }: Omit<ProxyIdentity, "chain"> & { readonly chain: readonly { toString(): string }[] },
): Promise<Stop> {
  const context = createSecureContext({ key: keyPem, cert: chain.map(String).join("") });
  const server = createTlsServer({
    SNICallback: (name, done) => {
      if (name === identity) done(null, context);
      else done(new Error(`not for ${name}`));
    },
  });
  server.on("tlsClientError", () => undefined);
  server.listen(ADMIN_PORT, await sandbox.listenAddress(pod));
  await once(server, "listening");
  return async () => {
    server.close();
    await once(server, "close");
  };
}

/** Answers at the address of each pod with a proxy as its metrics do. */
export async function serveMetrics(
  sandbox: TestSandbox,
  textOf: (pod: V1Pod, pods: readonly V1Pod[]) => string,
): Promise<Stop> {
  const { items } = await sandbox.client(CoreV1Api).listPodForAllNamespaces();
  const pods = items.filter((pod) => isLive(pod) && proxyOf(pod) !== undefined);
  const servers = await Promise.all(
    pods.map(async (pod): Promise<Server> => {
      const server = createServer(({ url }, response) => {
        response.writeHead(url === "/metrics" ? 200 : 404, { "content-type": "text/plain" });
        response.end(textOf(pod, pods));
      });
      server.listen(ADMIN_PORT, await sandbox.listenAddress(pod));
      await once(server, "listening");
      return server;
    }),
  );
  return async () => {
    await Promise.all(
      servers.map(async (server) => {
        server.closeAllConnections();
        server.close();
        await once(server, "close");
      }),
    );
  };
}
