import { readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "yaml";

const ROOT = join(__dirname, "..", "..");

interface ProjectKey {
  readonly type?: string;
  readonly default?: unknown;
  readonly value?: unknown;
  readonly description?: string;
}

/** The `config:` block of Pulumi.yaml. */
export function projectConfig(): Record<string, ProjectKey> {
  return (readYaml("Pulumi.yaml") as { config: Record<string, ProjectKey> }).config;
}

/** A stack's configuration as the engine gives it to the program: the project's defaults, then the stack's file. */
export function stackConfig(stack: string): Record<string, string> {
  const config: Record<string, string> = {};
  for (const [key, { default: fallback, value }] of Object.entries(projectConfig())) {
    config[key.includes(":") ? key : `linkerd-mtls:${key}`] = text(fallback ?? value);
  }
  const file = readYaml(`Pulumi.${stack}.yaml`) as { config: Record<string, unknown> };
  for (const [key, value] of Object.entries(file.config)) {
    config[key] = text(value);
  }
  return config;
}

function readYaml(file: string): unknown {
  return parse(readFileSync(join(ROOT, file), "utf8"));
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
