import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Answer, linksOf, type Mesh, updateIssue } from "../../tools/ci/meshIssue";
import { PROJECT } from "../../tools/shared/paths";
import { run } from "../../tools/shared/run";
import { check, type Group } from "../../tools/verify/model";
import { format } from "../../tools/verify/output";
import { TestGitHub } from "../support/gitHub";

const ACTIONS = {
  GITHUB_SERVER_URL: "https://github.com",
  GITHUB_REPOSITORY: "acme/mesh",
  GITHUB_RUN_ID: "42",
};

/** What verify would write. */
function answer(...groups: Group[]): Answer {
  return JSON.parse(format(groups, "json")) as Answer;
}

const expiring = (left: string, result: "warning" | "error" = "warning"): Group => ({
  group: "certificates",
  checks: [check("trust anchor is valid", [`until 2027-01-01, ${left} left`], "expiry", result)],
});
const outside: Group = {
  group: "injection",
  checks: [
    check("each pod that asks for a proxy has one", ["Deployment shop/`web` @everyone: 2 pods"], "outside"),
  ],
};
const fine: Group = { group: "guard", checks: [check("the guard refuses", [], "guard")] };

describe("the issue about a mesh", () => {
  let github: TestGitHub;

  beforeEach(async () => {
    github = await TestGitHub.listen();
  });
  afterEach(() => {
    github.close();
  });

  const update = (found?: Answer, more: Partial<Mesh> = {}) =>
    updateIssue(github.repository, { stack: "acme/prod", answer: found, ...linksOf(ACTIONS), ...more });
  const comments = (): string[] => (github.comments.get(1) ?? []).map(({ body }) => body);

  it("is opened once, before something expires", async () => {
    assert.deepEqual(await update(answer(expiring("20%"), fine)), { done: "opened", issue: 1 });
    assert.deepEqual(github.asked(), ["GET /issues", "POST /issues"]);
    assert.deepEqual(await update(answer(expiring("20%"), fine)), { done: "unchanged", issue: 1 });
    assert.deepEqual(github.asked(), ["GET /issues"]);
    assert.deepEqual(
      github.issues.map(({ title, body }) => [title, body]),
      [
        [
          "The mesh of acme/prod needs attention",
          `<!-- linkerd-mtls verify: acme/prod -->

\`npm run verify\` about the mesh of stack \`acme/prod\`:

**warning**, certificates: \`trust anchor is valid\`

\`\`\`text
until 2027-01-01, 20% left
\`\`\`

What to do: [docs/operations.md#expiry](https://github.com/acme/mesh/blob/HEAD/docs/operations.md#expiry)
`,
        ],
      ],
    );
    assert.deepEqual(comments(), []);
  });

  it("is updated without a word while the same is found, and with a comment where there is more", async () => {
    await update(answer(expiring("20%")));
    github.asked();
    assert.equal((await update(answer(expiring("19%")))).done, "updated");
    assert.deepEqual(github.asked(), ["GET /issues", "PATCH /issues/1"]);
    assert.match(github.issues[0]?.body ?? "", /19% left/);

    assert.equal((await update(answer(expiring("1%", "error"), outside))).done, "updated");
    assert.deepEqual(github.asked(), ["GET /issues", "POST /issues/1/comments", "PATCH /issues/1"]);
    assert.deepEqual(comments(), [
      "Found since then by [this run](https://github.com/acme/mesh/actions/runs/42):\n" +
        "- **error**, certificates: `trust anchor is valid`\n" +
        "- **error**, injection: `each pod that asks for a proxy has one`",
    ]);

    // What is gone is gone from the text.
    assert.equal((await update(answer(outside))).done, "updated");
    assert.doesNotMatch(github.issues[0]?.body ?? "", /anchor/);
    assert.equal(comments().length, 1);
    assert.equal(github.issues.length, 1);
  });

  it("is closed when nothing is found any more, and another is opened the next time", async () => {
    assert.deepEqual(await update(answer(fine)), { done: "unchanged" });
    await update(answer(outside));
    github.asked();
    assert.deepEqual(await update(answer(fine)), { done: "closed", issue: 1 });
    assert.deepEqual(github.asked(), ["GET /issues", "POST /issues/1/comments", "PATCH /issues/1"]);
    assert.equal(github.issues[0]?.state, "closed");
    assert.deepEqual(comments(), [
      "Nothing is found any more by [this run](https://github.com/acme/mesh/actions/runs/42).",
    ]);
    assert.deepEqual(await update(answer(outside)), { done: "opened", issue: 2 });
  });

  it("is one for each stack, and never a person's that quotes it", async () => {
    await update(answer(outside));
    await update(answer(outside), { stack: "acme/dev" });
    github.addIssue("<!-- linkerd-mtls verify: acme/test -->\n\nquoted", "User");
    for (let index = 0; index < 120; index++) github.addIssue(`issue ${index}`, "User");
    assert.equal((await update(answer(outside), { stack: "acme/test" })).done, "opened");
    assert.equal((await update(answer(outside), { stack: "acme/test" })).done, "unchanged");
    assert.equal((await update(answer(fine), { stack: "acme/dev" })).issue, 2);
    assert.equal(github.issues[2]?.body.endsWith("quoted"), true);
  });

  it("says where the cluster could not be asked", async () => {
    assert.equal((await update()).done, "opened");
    assert.match(
      github.issues[0]?.body ?? "",
      /\*\*error\*\*: the cluster could not be asked\n\n[^]*token has\nexpired/,
    );
    assert.equal((await update(answer(fine))).done, "closed");
  });

  it("neither calls people nor grows beyond what GitHub accepts", async () => {
    await update(answer(outside));
    assert.match(github.issues[0]?.body ?? "", /\n```text\nDeployment shop\/`web` @everyone: 2 pods\n```\n/);
    const many = Array.from({ length: 300 }, (_, index) => `Deployment shop/${"x".repeat(250)}${index}`);
    const checks = Array.from({ length: 30 }, (_, index) => check(`check ${index}`, many, "outside"));
    await update(answer({ group: "injection", checks }));
    const body = github.issues[0]?.body ?? "";
    assert(body.length < 65_536 && body.length > 40_000, String(body.length));
    assert.match(body, /\nand 280 more\n/);
    assert.match(body, /\n\d+ more findings are in the run's log\.\n/);
  });

  it("needs a permission, which is named", async () => {
    github.refuses = true;
    await assert.rejects(update(answer(outside)), {
      message: /^GitHub answered 403 to GET \/repos\/acme\/mesh\/issues\?state=open&per_page=100&page=1/,
      remedy: "give the token the permission issues: write",
    });
  });

  it("is what the command of the workflow makes, of verify's output", async () => {
    const folder = await mkdtemp(join(tmpdir(), "linkerd-mtls-issue-"));
    const [file, out] = [join(folder, "answer.json"), join(folder, "verify.md")];
    const command = () =>
      run(
        process.execPath,
        [
          "--require",
          "./typescript.cjs",
          "tools/ci/main.ts",
          "issue",
          "--stack",
          "dev",
          "--file",
          file,
          "--out",
          out,
        ],
        { cwd: PROJECT, env: { ...ACTIONS, ...github.variables } },
      );
    try {
      await writeFile(file, format([outside], "json"));
      assert.equal(await command(), "Issue 1 is opened.\n");
      assert.equal(await readFile(out, "utf8"), github.issues[0]?.body);
      await writeFile(file, "");
      assert.equal(await command(), "Issue 1 is updated.\n");
      await writeFile(file, format([fine], "json"));
      assert.equal(await command(), "Issue 1 is closed.\n");
      assert.match(await readFile(out, "utf8"), /Nothing was found\./);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
