import assert from "node:assert/strict";

import type { PreviewOptions, PulumiFn, Stack } from "@pulumi/pulumi/automation";

import type { Target } from "../../tools/sandbox/target";
import { withStack } from "../../tools/sandbox/workspace";
import type { Ended } from "./command";

/** Values of the program's keys, without their prefix, and of others by their full key. */
export type Values = Readonly<Record<string, unknown>>;

/** Keys that are set as secrets. */
const SECRETS = ["trustAnchorKey", "issuerKey"];

/** What a preview or a deployment is told, too. */
type Options = Pick<PreviewOptions, "policyPacks" | "policyPackConfigs" | "onEvent">;

/** Previews and deployments of a stack in this process, which hide no message of Pulumi's. */
export class StackRuns {
  /**
   * @param base Values of every run; those of one run win.
   * @param program Default: this one.
   */
  public constructor(
    private readonly target: Target,
    private readonly base: Values,
    private readonly stack = "dev",
    private readonly program?: PulumiFn,
  ) {}

  public run(name: "preview" | "up", values: Values = {}, options: Options = {}): Promise<Ended> {
    const all = Object.entries({ ...this.base, ...values });
    const plain = all.filter(([key]) => !SECRETS.includes(key));
    const own = plain.map(([key, value]) => [key.includes(":") ? key : `linkerd-mtls:${key}`, value]);
    const overrides = { ...this.target.overrides, ...(Object.fromEntries(own) as object) };
    return withStack({ ...this.target, stack: this.stack, overrides }, async (stack: Stack) => {
      if (this.program !== undefined) stack.workspace.program = this.program;
      for (const [key, value] of all.filter(([key]) => SECRETS.includes(key))) {
        await stack.setConfig(`linkerd-mtls:${key}`, { value: String(value), secret: true });
      }
      let output = "";
      const note = (text: string) => (output += text);
      const code = await stack[name]({ ...options, onOutput: note, onError: note, color: "never" }).then(
        () => 0,
        () => 1,
      );
      return { code, output };
    });
  }

  /** Previews or deploys it and returns what that printed. */
  public async succeed(name: "preview" | "up", values: Values = {}, options: Options = {}): Promise<string> {
    const { code, output } = await this.run(name, values, options);
    assert.equal(code, 0, output);
    return output;
  }

  /** Deploys it and returns what it printed. */
  public up(values: Values = {}): Promise<string> {
    return this.succeed("up", values);
  }

  /** A deployment that fails; what it printed. */
  public async failing(values: Values = {}): Promise<string> {
    const { code, output } = await this.run("up", values);
    assert.notEqual(code, 0, output);
    return output;
  }
}
