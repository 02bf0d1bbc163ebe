import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { postComment, pullRequest, type PullRequest } from "../../tools/ci/github";

interface Comment {
  readonly id: number;
  body: string;
  readonly user: { readonly type: string };
}

interface Request {
  readonly method: string;
  readonly url: string;
  readonly authorization: string;
}

/** The part of GitHub's API that has the comments of pull request 7 of acme/mesh. */
class Comments {
  public readonly comments: Comment[] = [];
  public readonly requests: Request[] = [];
  public refuses = false;
  private readonly server: Server = createServer((request, response) => {
    void this.answer(request).then(([status, body]) => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
  });

  public async listen(): Promise<PullRequest> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    const { port } = this.server.address() as AddressInfo;
    return { api: `http://127.0.0.1:${port}`, repository: "acme/mesh", number: "7", token: "t0ken" };
  }

  public close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  public add(body: string, type: string): void {
    this.comments.push({ id: 100 + this.comments.length, body, user: { type } });
  }

  private async answer(request: IncomingMessage): Promise<[number, unknown]> {
    const { method = "", url = "", headers } = request;
    this.requests.push({ method, url, authorization: headers.authorization ?? "" });
    if (this.refuses) return [403, { message: "Resource not accessible by integration" }];
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = (): string => (JSON.parse(Buffer.concat(chunks).toString()) as { body: string }).body;
    const { pathname, searchParams } = new URL(url, "http://localhost");
    if (method === "GET" && pathname === "/repos/acme/mesh/issues/7/comments") {
      const size = Number(searchParams.get("per_page"));
      const first = (Number(searchParams.get("page")) - 1) * size;
      return [200, this.comments.slice(first, first + size)];
    }
    if (method === "POST" && pathname === "/repos/acme/mesh/issues/7/comments") {
      this.add(body(), "Bot");
      return [201, {}];
    }
    const comment = this.comments.find(({ id }) => pathname === `/repos/acme/mesh/issues/comments/${id}`);
    if (method !== "PATCH" || comment === undefined) return [404, {}];
    comment.body = body();
    return [200, {}];
  }
}

const MARKER = "<!-- linkerd-mtls preview: dev -->";

describe("the comment under a pull request", () => {
  let github: Comments;
  let pull: PullRequest;

  beforeEach(async () => {
    github = new Comments();
    pull = await github.listen();
  });
  afterEach(() => {
    github.close();
  });

  const bodies = (): string[] => github.comments.map(({ body }) => body);

  it("is made once, edited in place, and left alone where it says the same", async () => {
    github.add("<!-- linkerd-mtls preview: prod -->\n\nprod", "Bot");
    assert.equal(await postComment(pull, `${MARKER}\n\nfirst\n`), "created");
    assert.equal(await postComment(pull, `${MARKER}\n\nsecond\n`), "edited");
    const before = github.requests.length;
    assert.equal(await postComment(pull, `${MARKER}\n\nsecond\n`), "unchanged");
    assert.deepEqual(bodies(), ["<!-- linkerd-mtls preview: prod -->\n\nprod", `${MARKER}\n\nsecond\n`]);
    assert.deepEqual(github.requests.slice(before), [
      {
        method: "GET",
        url: "/repos/acme/mesh/issues/7/comments?per_page=100&page=1",
        authorization: "Bearer t0ken",
      },
    ]);
  });

  it("is found behind a hundred others, and not where a person quotes it", async () => {
    github.add(`${MARKER}\n\nquoted`, "User");
    for (let index = 0; index < 150; index++) github.add(`comment ${index}`, "User");
    github.add(`${MARKER}\n\nold`, "Bot");
    assert.equal(await postComment(pull, `${MARKER}\n\nnew\n`), "edited");
    assert.equal(bodies().at(-1), `${MARKER}\n\nnew\n`);
    assert.equal(bodies()[0], `${MARKER}\n\nquoted`);
  });

  it("fails with GitHub's answer, and what to do", async () => {
    github.refuses = true;
    await assert.rejects(postComment(pull, MARKER), {
      name: "UserError",
      message:
        "GitHub answered 403 to GET /repos/acme/mesh/issues/7/comments?per_page=100&page=1: " +
        '{"message":"Resource not accessible by integration"}',
      remedy: "give the token the permission pull-requests: write",
    });
  });

  it("goes where the workflow's variables say, and names them where they are missing", () => {
    const variables = { GITHUB_REPOSITORY: "acme/mesh", GITHUB_TOKEN: "t0ken" };
    assert.deepEqual(
      pullRequest({ ...variables, GITHUB_API_URL: "https://github.acme.example/api/v3" }, "7"),
      {
        api: "https://github.acme.example/api/v3",
        repository: "acme/mesh",
        number: "7",
        token: "t0ken",
      },
    );
    assert.equal(pullRequest(variables, "7").api, "https://api.github.com");
    for (const name of ["GITHUB_REPOSITORY", "GITHUB_TOKEN"]) {
      assert.throws(() => pullRequest({ ...variables, [name]: "" }, "7"), /must be set, and are not/);
    }
  });
});
