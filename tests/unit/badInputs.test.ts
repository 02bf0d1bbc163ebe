import assert from "node:assert/strict";

import * as pulumi from "@pulumi/pulumi";

import { BadInputs, badInputs } from "../support/badInputs";
import { problems, read } from "../support/readConfig";

/** Fewer would not be the whole table. */
const LEAST = 60;

describe("wrong configurations", () => {
  let table: BadInputs;

  before(async () => {
    await pulumi.runtime.setMocks(
      { newResource: () => ({ id: "", state: {} }), call: () => ({}) },
      "linkerd-mtls",
      "test",
    );
    table = await badInputs();
  });

  it("differ from one that is right", () => {
    assert.equal(read({ ...table.right }, ["linkerd-mtls:issuerKey"]).trustAnchors[0]?.id, "2026");
  });

  it("are answered with each key, its rule, what was found, and the command that fixes it", () => {
    const answers = table.wrong.map(({ title, values, secretKeys = ["issuerKey"] }) => {
      const given = Object.entries({ ...table.right, ...values }).filter(([, value]) => value !== undefined);
      const secrets = secretKeys.map((key) => `linkerd-mtls:${key}`);
      const found = problems(Object.fromEntries(given), secrets);
      return { title, problems: found.map((problem) => problem.split("\n    ")) };
    });
    assert.deepEqual(
      answers,
      table.wrong.map(({ title, problems: expected }) => ({ title, problems: expected })),
    );
    assert.ok(table.wrong.length >= LEAST, `${table.wrong.length} are tried`);
  });
});
