import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "yaml";

import { dependencies, scripts } from "../../package.json";

const GITHUB = join(__dirname, "..", "..", ".github");
const WORKFLOWS = readdirSync(join(GITHUB, "workflows")).map((file) => `workflows/${file}`);
const FILES = [...WORKFLOWS, "actions/setup/action.yml"];

interface Step {
  readonly name?: string;
  readonly if?: string;
  readonly env?: object;
  readonly run?: string;
}

interface Workflow {
  readonly on: unknown;
  readonly permissions: unknown;
  readonly concurrency: { readonly "cancel-in-progress": boolean };
  readonly jobs: Readonly<
    Record<
      string,
      {
        readonly "timeout-minutes"?: number;
        readonly permissions?: object;
        readonly if?: string;
        readonly steps: readonly Step[];
      }
    >
  >;
}

function text(file: string): string {
  return readFileSync(join(GITHUB, file), "utf8");
}

function workflow(file: string): Workflow {
  return parse(text(file)) as Workflow;
}

describe("the workflows", () => {
  it("pin each action by its commit, with the version beside it", () => {
    for (const file of FILES) {
      const uses = text(file).match(/uses: .*/g) ?? [];
      assert(uses.length > 0, file);
      for (const line of uses) {
        assert.match(
          line,
          /^uses: (\.\/\.github\/actions\/setup|[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/,
        );
      }
    }
  });

  it("have the least permissions, a limit of time, and end what a newer run replaces", () => {
    for (const file of WORKFLOWS) {
      const { permissions, concurrency, jobs } = workflow(file);
      assert.deepEqual(permissions, { contents: "read" }, file);
      assert.equal(concurrency["cancel-in-progress"], true, file);
      for (const job of Object.values(jobs)) assert(job["timeout-minutes"] !== undefined, file);
    }
    const write = WORKFLOWS.flatMap((file) =>
      Object.entries(workflow(file).jobs).flatMap(([name, { permissions }]) =>
        permissions === undefined ? [] : [[file, name, permissions]],
      ),
    );
    assert.deepEqual(write, [
      ["workflows/drift.yml", "stack", { contents: "read", "id-token": "write" }],
      ["workflows/preview.yml", "stack", { contents: "read", "id-token": "write", "pull-requests": "write" }],
      ["workflows/verify.yml", "mesh", { contents: "read", issues: "write" }],
    ]);
  });

  it("give no secret to pull requests of others", () => {
    for (const file of WORKFLOWS) assert.doesNotMatch(text(file), /pull_request_target/);
    const users = WORKFLOWS.flatMap((file) =>
      Object.entries(workflow(file).jobs)
        .filter(([, job]) => JSON.stringify(job).includes("secrets."))
        .map(([name]) => `${file} ${name}`),
    );
    assert.deepEqual(users, [
      "workflows/drift.yml stack",
      "workflows/preview.yml stack",
      "workflows/verify.yml mesh",
    ]);
  });

  it("ask a mesh every night, and put what they find into an issue where they could not ask, too", () => {
    const { on, jobs } = workflow("workflows/verify.yml");
    assert.deepEqual(Object.keys(on as object), ["schedule", "workflow_dispatch"]);
    const steps = jobs.mesh?.steps ?? [];
    const [verify, issue] = ["Verify", "Issue"].map((name) => steps.findIndex((step) => step.name === name));
    assert.deepEqual([verify, issue], [2, 3]);
    assert.match(
      steps[2]?.run ?? "",
      /npm run -s verify -- .*--output json > "\$RUNNER_TEMP\/answer.json"\n$/,
    );
    assert.match(
      steps[3]?.run ?? "",
      /verify:issue -- --stack "\$STACK" --file "\$RUNNER_TEMP\/answer.json"/,
    );
    assert.equal(steps[3]?.if, "${{ !cancelled() && steps.verify.outcome != 'skipped' }}");
    // Only that step may write.
    assert.deepEqual(
      steps.filter(({ env }) => JSON.stringify(env ?? {}).includes("github.token")).map(({ name }) => name),
      ["Issue"],
    );
  });

  it("run the tests, and those that take longest every night", () => {
    const { on, jobs } = workflow("workflows/test.yml");
    assert.deepEqual(Object.keys(on as object), ["pull_request", "push", "schedule", "workflow_dispatch"]);
    assert.deepEqual(
      Object.entries(jobs).map(([name, { if: condition }]) => [name, condition]),
      [
        ["test", undefined],
        ["proofs", undefined],
        ["endurance", "github.event_name == 'schedule' || github.event_name == 'workflow_dispatch'"],
      ],
    );
    const commands = [...text("workflows/test.yml").matchAll(/run: (npm .*)/g)].map(([, command]) => command);
    assert.deepEqual(commands, ["npm test", "npm run test:proofs", "npm run test:endurance"]);
  });

  it("run npm scripts that exist, and the Pulumi CLI of the SDK's version", () => {
    const known = Object.keys(scripts);
    for (const file of WORKFLOWS) {
      for (const [, name = ""] of text(file).matchAll(/npm run (?:-s )?([\w:]+)/g)) {
        assert(known.includes(name), `${file}: npm run ${name}`);
      }
      for (const [, version] of text(file).matchAll(/pulumi-version: (.*)/g)) {
        assert.equal(version, dependencies["@pulumi/pulumi"]);
      }
    }
  });
});
