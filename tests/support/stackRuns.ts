import assert from "node:assert/strict";

import type { Stack } from "@pulumi/pulumi/automation";

import type { Target } from "../../tools/sandbox/target";
import { withStack } from "../../tools/sandbox/workspace";
import type { Ended } from "./command";

/** Values of the program's keys, without their prefix. */
export type Values = Readonly<Record<string, unknown>>;

/** Keys that are set as secrets. */
const SECRETS = ["trustAnchorKey", "issuerKey"];

/** Previews and deployments of a stack `dev` in this process, which hide no message of Pulumi's. */
export class StackRuns {
  /** @param base Values of every run; those of one run win. */
  public constructor(
    private readonly target: Target,
    private readonly base: Values,
  ) {}

  public run(name: "preview" | "up", values: Values = {}): Promise<Ended> {
    const all = Object.entries({ ...this.base, ...values });
    const plain = all.filter(([key]) => !SECRETS.includes(key));
    const own = plain.map(([key, value]) => [`linkerd-mtls:${key}`, value]);
    const overrides = { ...this.target.overrides, ...(Object.fromEntries(own) as object) };
    return withStack({ ...this.target, stack: "dev", overrides }, async (stack: Stack) => {
      for (const [key, value] of all.filter(([key]) => SECRETS.includes(key))) {
        await stack.setConfig(`linkerd-mtls:${key}`, { value: String(value), secret: true });
      }
      let output = "";
      const note = (text: string) => (output += text);
      const code = await stack[name]({ onOutput: note, onError: note, color: "never" }).then(
        () => 0,
        () => 1,
      );
      return { code, output };
    });
  }

  /** Deploys it and returns what it printed. */
  public async up(values: Values = {}): Promise<string> {
    const { code, output } = await this.run("up", values);
    assert.equal(code, 0, output);
    return output;
  }

  /** A deployment that fails; what it printed. */
  public async failing(values: Values = {}): Promise<string> {
    const { code, output } = await this.run("up", values);
    assert.notEqual(code, 0, output);
    return output;
  }
}
