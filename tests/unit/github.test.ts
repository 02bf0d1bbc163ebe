import assert from "node:assert/strict";

import { repositoryOf } from "../../tools/ci/github";
import { postComment } from "../../tools/ci/pullRequestComment";
import { TestGitHub } from "../support/gitHub";

const MARKER = "<!-- linkerd-mtls preview: dev -->";

describe("the comment under a pull request", () => {
  let github: TestGitHub;

  beforeEach(async () => {
    github = await TestGitHub.listen();
  });
  afterEach(() => {
    github.close();
  });

  const post = (text: string) => postComment(github.repository, "7", text);
  const bodies = (): string[] => (github.comments.get(7) ?? []).map(({ body }) => body);

  it("is made once, edited in place, and left alone where it says the same", async () => {
    github.addComment(7, "<!-- linkerd-mtls preview: prod -->\n\nprod", "Bot");
    assert.equal(await post(`${MARKER}\n\nfirst\n`), "created");
    assert.equal(await post(`${MARKER}\n\nsecond\n`), "edited");
    const before = github.requests.length;
    assert.equal(await post(`${MARKER}\n\nsecond\n`), "unchanged");
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
    github.addComment(7, `${MARKER}\n\nquoted`, "User");
    for (let index = 0; index < 150; index++) github.addComment(7, `comment ${index}`, "User");
    github.addComment(7, `${MARKER}\n\nold`, "Bot");
    assert.equal(await post(`${MARKER}\n\nnew\n`), "edited");
    assert.equal(bodies().at(-1), `${MARKER}\n\nnew\n`);
    assert.equal(bodies()[0], `${MARKER}\n\nquoted`);
  });

  it("fails with GitHub's answer, and what to do", async () => {
    github.refuses = true;
    await assert.rejects(post(MARKER), {
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
      repositoryOf({ ...variables, GITHUB_API_URL: "https://github.acme.example/api/v3" }, "preview:comment"),
      { api: "https://github.acme.example/api/v3", name: "acme/mesh", token: "t0ken" },
    );
    assert.equal(repositoryOf(variables, "preview:comment").api, "https://api.github.com");
    for (const name of ["GITHUB_REPOSITORY", "GITHUB_TOKEN"]) {
      assert.throws(
        () => repositoryOf({ ...variables, [name]: "" }, "preview:comment"),
        /must be set, and are not/,
      );
    }
  });
});
