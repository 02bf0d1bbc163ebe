import assert from "node:assert/strict";

import * as pulumi from "@pulumi/pulumi";

import { SAMPLE_APPLICATIONS } from "../../apps";
import { readConfig, StackConfig } from "../../config/index";

/** Configuration by key; a key without a namespace is the program's own. */
export type Values = Record<string, unknown>;

/** Reads a configuration. */
export function read(values: Values, secretKeys: string[] = []): StackConfig {
  const entries = Object.entries(values).map(([key, value]) => [
    key.includes(":") ? key : `linkerd-mtls:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  pulumi.runtime.setAllConfig(Object.fromEntries(entries) as Record<string, string>, secretKeys);
  return readConfig(SAMPLE_APPLICATIONS);
}

/** The problems of a configuration, each as its lines. */
export function problems(values: Values, secretKeys: string[] = []): string[] {
  let message = "";
  assert.throws(
    () => read(values, secretKeys),
    (error) => {
      assert.ok(pulumi.RunError.isInstance(error));
      message = error.message;
      return true;
    },
  );
  return message.trim().split("\n\n").slice(1);
}
