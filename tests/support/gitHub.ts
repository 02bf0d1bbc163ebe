import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import type { Repository } from "../../tools/ci/github";

/** A comment or an issue. */
export interface Post {
  readonly id: number;
  /** Of an issue. */
  readonly number: number;
  body: string;
  readonly title?: string;
  state: string;
  readonly user: { readonly type: string };
}

/** What the server was asked. */
export interface Request {
  readonly method: string;
  readonly url: string;
  readonly authorization: string;
}

/** A server with the part of GitHub's API that has issues and comments of acme/mesh. */
export class TestGitHub {
  public readonly issues: Post[] = [];
  /** By the number of an issue or a pull request. */
  public readonly comments = new Map<number, Post[]>();
  public readonly requests: Request[] = [];
  public refuses = false;
  public readonly repository: Repository;

  private constructor(private readonly server: Server) {
    const { port } = server.address() as AddressInfo;
    this.repository = { api: `http://127.0.0.1:${port}`, name: "acme/mesh", token: "t0ken" };
    server.on("request", (request: IncomingMessage, response) => {
      void this.answer(request).then(([status, body]) => {
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
      });
    });
  }

  public static async listen(): Promise<TestGitHub> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new TestGitHub(server);
  }

  public close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  /** The variables that a workflow has there. */
  public get variables(): NodeJS.ProcessEnv {
    const { api, name, token } = this.repository;
    return { GITHUB_API_URL: api, GITHUB_REPOSITORY: name, GITHUB_TOKEN: token };
  }

  /** Methods and paths of what it was asked since the last time. */
  public asked(): string[] {
    return this.requests
      .splice(0)
      .map(({ method, url }) => `${method} ${url.replace("/repos/acme/mesh", "").replace(/\?.*/, "")}`);
  }

  public addComment(of: number, body: string, type: string): Post {
    return add(this.comments.get(of) ?? this.newComments(of), { body, type });
  }

  public addIssue(body: string, type: string, title?: string): Post {
    return add(this.issues, { body, type, title });
  }

  private newComments(of: number): Post[] {
    const none: Post[] = [];
    this.comments.set(of, none);
    return none;
  }

  private async answer(request: IncomingMessage): Promise<[number, unknown]> {
    const { method = "", url = "", headers } = request;
    this.requests.push({ method, url, authorization: headers.authorization ?? "" });
    if (this.refuses) return [403, { message: "Resource not accessible by integration" }];
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const given = JSON.parse(Buffer.concat(chunks).toString() || "{}") as Partial<Post>;
    const { pathname, searchParams } = new URL(url, this.repository.api);
    const [kind = "", id = "", comments] = pathname.replace("/repos/acme/mesh/", "").split("/");
    if (kind !== "issues") return [404, {}];
    if (method === "PATCH") {
      const posts = id === "comments" ? [...this.comments.values()].flat() : this.issues;
      const post = posts.find(({ id: own, number }) =>
        id === "comments" ? `${own}` === comments : `${number}` === id,
      );
      return post === undefined ? [404, {}] : [200, Object.assign(post, given)];
    }
    if (comments !== undefined) {
      if (method === "POST") return [201, this.addComment(Number(id), given.body ?? "", "Bot")];
      return [200, page(this.comments.get(Number(id)) ?? [], searchParams)];
    }
    if (method === "POST") return [201, this.addIssue(given.body ?? "", "Bot", given.title)];
    const state = searchParams.get("state");
    return [
      200,
      page(
        this.issues.filter((issue) => issue.state === state),
        searchParams,
      ),
    ];
  }
}

function add(posts: Post[], { body, type, title }: { body: string; type: string; title?: string }): Post {
  const post = {
    id: 100 + posts.length,
    number: 1 + posts.length,
    body,
    title,
    state: "open",
    user: { type },
  };
  posts.push(post);
  return post;
}

function page(posts: readonly Post[], parameters: URLSearchParams): readonly Post[] {
  const size = Number(parameters.get("per_page"));
  const first = (Number(parameters.get("page")) - 1) * size;
  return posts.slice(first, first + size);
}
