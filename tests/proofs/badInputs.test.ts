import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Stack } from "@pulumi/pulumi/automation";
import { parse, stringify } from "yaml";

import { sandboxTarget, type Target } from "../../tools/sandbox/target";
import { withStack } from "../../tools/sandbox/workspace";
import { type BadInput, type BadInputs, badInputs } from "../support/badInputs";
import { clusterObjects, settled } from "../support/clusterObjects";
import { useSandbox } from "../support/testSandbox";

/** A frame of a stack trace. */
const FRAME = /^\s*at .*:\d+:\d+/m;

interface StackFile {
  readonly config: Record<string, unknown>;
}

/** Whether an answer says what is wrong, and how to fix it. */
function answers(output: string, { problems }: BadInput): boolean {
  // The console puts the message into a list of its own, so that it is indented more.
  const lines = output.split("\n").map((line) => line.trim());
  return problems.flat().every((line) => lines.includes(line)) && !FRAME.test(output);
}

describe("wrong configurations", () => {
  const sandbox = useSandbox("test-bad-inputs");
  let table: BadInputs;
  let target: Target;

  before(async () => {
    table = await badInputs();
    target = await sandboxTarget(sandbox.name, new AbortController().signal);
  });

  /** Encrypted forms of texts, as the stack's file has them: one call of the CLI for all of them. */
  async function encrypt(stack: Stack, texts: readonly string[]): Promise<ReadonlyMap<string, unknown>> {
    const keys = texts.map((value, index) => [`scratch:${index}`, { value, secret: true }] as const);
    await stack.setAllConfig(Object.fromEntries(keys));
    const { config } = await stackFile();
    return new Map(texts.map((value, index) => [value, config[`scratch:${index}`]]));
  }

  const file = () => join(sandbox.paths.workspace, "Pulumi.prod.yaml");
  const stackFile = async () => parse(await readFile(file(), "utf8")) as StackFile;

  it("are all answered with key, rule and command, without a stack trace, and change nothing", async () => {
    await withStack({ ...target, stack: "prod" }, tryAll);
  });

  async function tryAll(stack: Stack): Promise<void> {
    // Pulumi would start its CLI to read what nobody here asks for.
    stack.outputs = () => Promise.resolve({});
    stack.info = () => Promise.resolve(undefined);
    const configurations = table.wrong.map(({ values, secretKeys = ["issuerKey"] }) => ({
      values: Object.entries({ ...table.right, ...values }).filter(([, value]) => value !== undefined),
      secretKeys,
    }));
    const secrets = configurations.flatMap(({ values, secretKeys }) =>
      values.filter(([key]) => secretKeys.includes(key)).map(([, value]) => String(value)),
    );
    const encrypted = await encrypt(stack, [...new Set(secrets)]);
    const { config, ...salt } = await stackFile();
    const before = await settled(() => clusterObjects(sandbox));

    const unanswered: string[] = [];
    for (const [index, row] of table.wrong.entries()) {
      const { values = [], secretKeys = [] } = configurations[index] ?? {};
      const given = values.map(([key, value]) => [
        key.includes(":") ? key : `linkerd-mtls:${key}`,
        secretKeys.includes(key) ? encrypted.get(String(value)) : value,
      ]);
      // The sandbox's own charts and release, unless it is they that are wrong.
      const configuration = { ...config, ...(Object.fromEntries(given) as object) };
      const kept = Object.entries(configuration).filter(([key]) => !key.startsWith("scratch:"));
      await writeFile(file(), stringify({ ...salt, config: Object.fromEntries(kept) }));
      let output = "";
      const note = (text: string) => (output += text);
      await stack.up({ onOutput: note, onError: note, color: "never" }).then(
        () => unanswered.push(`${row.title}: was deployed`),
        () => undefined,
      );
      if (!answers(output, row)) unanswered.push(`${row.title}:\n${output}`);
    }

    const changed = (await clusterObjects(sandbox)).filter((object) => !before.includes(object));
    const deployment: unknown = (await stack.exportStack()).deployment;
    const { resources } = deployment as { resources?: { type: string }[] };
    console.log(
      `      tried ${table.wrong.length}, answered ${table.wrong.length - unanswered.length}, objects changed in the ` +
        `cluster ${changed.length} of ${before.length}`,
    );
    assert.deepEqual(unanswered, []);
    assert.deepEqual(changed, []);
    assert.deepEqual(
      (resources ?? []).map(({ type }) => type),
      ["pulumi:pulumi:Stack"],
    );
  }
});
