import assert from "node:assert/strict";

import * as pulumi from "@pulumi/pulumi";

import { throwInputProblems } from "../../components/validation/inputProblems";
import { CONTAINER_PORT, includesPort, PORT_RANGE } from "../../components/validation/ports";
import {
  check,
  checkList,
  describe as inWords,
  unexpected,
  within,
} from "../../components/validation/problem";
import { COUNT, DNS_LABEL, DNS_NAME, FLAG, oneOf, Rule } from "../../components/validation/rule";

describe("rules", () => {
  const values: [rule: Rule<unknown>, right: unknown[], wrong: unknown[]][] = [
    [COUNT, [1, 300], [0, -1, 1.5, "1", null, NaN]],
    [FLAG, [true, false], ["true", 1, null]],
    [oneOf(["a", "b"], "a"), ["a", "b"], ["c", "", 1, ["a"]]],
    [DNS_LABEL, ["a", "a-1", "x".repeat(63)], ["", "A", "-a", "a.b", "x".repeat(64), 1]],
    [DNS_NAME, ["a", "a.b-c.d"], ["", "a..b", ".a", 1]],
    [CONTAINER_PORT, [1, 65535, "http", "grpc-2"], [0, 65536, "HTTP", "8080", "a--b", "x".repeat(16)]],
    [PORT_RANGE, [1, "3306", "1-65535", "80-80"], [0, 65536, "5-4", "1-2-3", "-1", "1-", "mysql", null, [1]]],
  ];
  for (const [rule, right, wrong] of values) {
    it(`"${rule.rule}" allows ${JSON.stringify(right)} and not ${JSON.stringify(wrong)}`, () => {
      assert.deepEqual([...right, ...wrong].filter(rule.allows), right);
    });
  }

  it("know which ports are in a range", () => {
    assert.ok(includesPort("80-90", 85));
    assert.ok(includesPort(80, 80));
    assert.ok(!includesPort("80-90", 91));
  });
});

describe("problems", () => {
  it("have the path, the rule, the value and what fixes it", () => {
    assert.deepEqual(check("replicas", 0, COUNT), [
      {
        path: "replicas",
        rule: "must be a whole number, 1 or more",
        found: { value: 0 },
        fixes: [{ set: "replicas", to: "1" }],
      },
    ]);
    assert.deepEqual([check("replicas", undefined, COUNT), check("replicas", 1, COUNT)], [[], []]);
  });

  it("name each item of a list that is wrong", () => {
    const problems = (value: unknown): unknown[] =>
      checkList("ports", value, "must be a list", PORT_RANGE).map(({ path, rule }) => `${path} ${rule}`);
    const rule = PORT_RANGE.rule;
    assert.deepEqual(problems([80, "a", 0]), [`ports[1] ${rule}`, `ports[2] ${rule}`]);
    assert.deepEqual(problems(80), ["ports must be a list"]);
    assert.deepEqual(problems(undefined), []);
  });

  it("can be seen from above, with what fixes them", () => {
    const inner = [...check("name", 1, DNS_LABEL), unexpected("[0]", "must not be here", "is set")];
    const fixes = within("a[1]", inner).map(({ path, fixes }) => ({ path, fixes }));
    assert.deepEqual(fixes, [
      { path: "a[1].name", fixes: [{ set: "a[1].name", to: "<name>" }] },
      { path: "a[1][0]", fixes: [{ remove: "a[1][0]" }] },
    ]);
  });

  it("repeat neither PEM blocks nor what is long", () => {
    assert.equal(inWords("-----BEGIN PRIVATE KEY-----\nabc"), "a PEM block");
    assert.equal(inWords("x".repeat(200)), `"${"x".repeat(99)}...`);
    assert.equal(inWords(undefined), "missing");
    assert.equal(inWords(Symbol("a")), "a symbol");
  });

  it("of a component's arguments are thrown together", () => {
    const problems = [
      ...check("replicas", 0, COUNT),
      unexpected("schedule", "must not be set", "kind is Job"),
    ];
    const reasons = [
      "must be a whole number, 1 or more, but is 0",
      "must not be set, but kind is Job",
    ] as const;
    assert.throws(
      () => {
        throwInputProblems("MeshedWorkload web", problems);
      },
      (error: unknown) => {
        assert.ok(pulumi.InputPropertiesError.isInstance(error));
        assert.deepEqual(error.errors, [
          { propertyPath: "replicas", reason: reasons[0] },
          { propertyPath: "schedule", reason: reasons[1] },
        ]);
        assert.equal(
          error.message,
          "The arguments of MeshedWorkload web are not valid:\n" +
            `  replicas ${reasons[0]}\n  schedule ${reasons[1]}`,
        );
        return true;
      },
    );
    throwInputProblems("MeshedWorkload web", []);
  });
});
