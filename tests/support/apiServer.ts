import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** What an {@link ApiServer} answers. */
export interface Answer {
  /** HTTP status. Default 200. */
  readonly status?: number;
  readonly body?: unknown;
}

/** A refusal, as an API server words it. */
export function status(code: number, message: string): Answer {
  return { status: code, body: { apiVersion: "v1", kind: "Status", status: "Failure", message, code } };
}

/** The client refuses plain HTTP otherwise. */
const PLAIN_HTTP = { "insecure-skip-tls-verify": true };

/** A server that answers like a Kubernetes API server, to those requests that a test expects, and to no other. */
export class ApiServer {
  /** By method and URL; a request that is not here gets no answer. */
  public answers: Record<string, Answer> = {};
  /** What was asked, in order. */
  public requests: { readonly line: string; readonly token?: string; readonly body: string }[] = [];

  private readonly server: Server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const line = `${request.method ?? ""} ${request.url ?? ""}`;
      this.requests.push({ line, token: request.headers.authorization, body });
      const answer = this.answers[line];
      if (answer === undefined) {
        return;
      }
      response.writeHead(answer.status ?? 200, { "content-type": "application/json" });
      response.end(JSON.stringify(answer.body));
    });
  });

  public listen(): Promise<void> {
    return new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
  }

  public close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  /** With contexts `here` (current), `other` (another user) and `nowhere` (no server). */
  public kubeconfig(): string {
    const { port } = this.server.address() as AddressInfo;
    return JSON.stringify({
      clusters: [
        { name: "here", cluster: { server: `http://127.0.0.1:${port}`, ...PLAIN_HTTP } },
        { name: "nowhere", cluster: { server: "http://127.0.0.1:1", ...PLAIN_HTTP } },
      ],
      users: [
        { name: "deployer", user: { token: "token-1" } },
        { name: "other", user: { token: "token-2" } },
      ],
      contexts: [
        { name: "here", context: { cluster: "here", user: "deployer" } },
        { name: "other", context: { cluster: "here", user: "other" } },
        { name: "nowhere", context: { cluster: "nowhere", user: "deployer" } },
      ],
      "current-context": "here",
    });
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}
