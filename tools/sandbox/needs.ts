import type { OptionalTool } from "./build/manifest";

/** A stack's configuration by full key. */
type Configuration = Readonly<Record<string, unknown>>;

/** Whether a flag is set. The CLI turns flags into text when it writes a stack's file. */
function isOn(flag: unknown): boolean {
  return String(flag) === "true";
}

/** A property of an object in the configuration. */
function property(configuration: Configuration, key: string, name: string): unknown {
  const value = configuration[`linkerd-mtls:${key}`];
  return typeof value === "object" && value !== null ? (value as Configuration)[name] : undefined;
}

/** The optional tools that a stack runs: who installs cert-manager and trust-manager does not matter. */
export function toolsFor(configuration: Configuration): OptionalTool[] {
  const rotating = configuration["linkerd-mtls:certificates"] === "cert-manager";
  const needed: Readonly<Partial<Record<OptionalTool, boolean>>> = {
    "cert-manager": rotating,
    "trust-manager": rotating && isOn(property(configuration, "trustManager", "enabled")),
    "linkerd-tap": isOn(property(configuration, "viz", "enabled")),
  };
  return (Object.keys(needed) as OptionalTool[]).filter((name) => needed[name]);
}

/** Whether replicas must run on different nodes. */
export function wantsNodes(configuration: Configuration): boolean {
  const { "linkerd-mtls:highAvailability": controlPlane } = configuration;
  return [controlPlane, property(configuration, "viz", "highAvailability")].some(isOn);
}
