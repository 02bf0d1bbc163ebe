import { existsSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { UserError } from "./errors";
import { type InstancePaths, PROJECT } from "./paths";

/** A stack's configuration file, as far as it matters here. */
export interface StackFile {
  readonly encryptionsalt?: string;
  /** Of what an instance alone was given: whether its trust anchors are the whole list, because it adopted a mesh, or rotated. */
  readonly adopted?: boolean;
  readonly config?: Readonly<Record<string, unknown>>;
}

/** An item of the key `trustAnchors`. */
export interface AnchorEntry {
  readonly id: unknown;
  readonly certificate?: unknown;
}

/** Full keys of what is provided where the stack has `certificates: provided`. */
export const PROVIDED = {
  source: "linkerd-mtls:certificates",
  anchors: "linkerd-mtls:trustAnchors",
  issuer: "linkerd-mtls:issuerCertificate",
  issuerKey: "linkerd-mtls:issuerKey",
} as const;

/** The checkout's file of that stack. */
export function checkoutFile(stack: string): string {
  return join(PROJECT, `Pulumi.${stack}.yaml`);
}

/** The workspace's copy of it, in which the CLI finds the stack's configuration. */
export function workspaceFile({ workspace }: InstancePaths, stack: string): string {
  return join(workspace, `Pulumi.${stack}.yaml`);
}

/** What the stack was given in this instance alone. */
export function ownFile({ root }: InstancePaths, stack: string): string {
  return join(root, `own.${stack}.yaml`);
}

export async function readStackFile(path: string): Promise<StackFile> {
  return existsSync(path) ? ((parse(await readFile(path, "utf8")) ?? {}) as StackFile) : {};
}

/** Configuration of one command by full key, from KEY=VALUE each, with VALUE as YAML. */
export function givenValues(entries: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    entries.map((entry) => {
      const [key = "", ...value] = entry.split("=");
      return [key, parse(value.join("="))];
    }),
  );
}

/** @throws UserError unless the checkout has the configuration of that stack. */
export function requireStack(stack: string): void {
  if (existsSync(checkoutFile(stack))) return;
  throw new UserError(
    `there is no stack "${stack}": Pulumi.${stack}.yaml does not exist`,
    "npm run up -- --stack dev",
  );
}

/**
 * Writes the workspace's copy of the stack's file: the checkout's configuration, what the stack was given in this instance
 * alone, the overrides, and the copy's own salt.
 *
 * @returns The configuration by full key, and whether there is no salt yet.
 */
export async function writeStackFile(
  paths: InstancePaths,
  stack: string,
  overrides: Readonly<Record<string, unknown>>,
): Promise<{ config: Readonly<Record<string, unknown>>; isNew: boolean }> {
  const target = workspaceFile(paths, stack);
  const committed = await readStackFile(checkoutFile(stack));
  // Which cluster it is, the target says.
  const configured = Object.entries(committed.config ?? {}).filter(
    ([key]) => !/^kubernetes:(kubeconfig|context|cluster)$/.test(key),
  );
  const own = await readStackFile(ownFile(paths, stack));
  // The workspace's copy goes with the stack; what was encrypted is of use with its salt only.
  const encryptionsalt = own.encryptionsalt ?? (await readStackFile(target)).encryptionsalt;
  const isNew = encryptionsalt === undefined;
  const config = { ...withOwn(Object.fromEntries(configured), own), ...overrides };
  const file: StackFile = { ...(!isNew && { encryptionsalt }), config };
  await writeFile(target, stringify(file));
  return { config, isNew };
}

/** The committed configuration with what is the stack's own in it; anchors are found by their ids. */
function withOwn(
  committed: Readonly<Record<string, unknown>>,
  { config: own = {}, adopted = false }: StackFile,
): Readonly<Record<string, unknown>> {
  if (adopted) return { ...committed, ...own };
  const certificates = new Map(anchorsOf(own).map(({ id, certificate }) => [String(id), certificate]));
  const anchors = anchorsOf(committed).map((anchor) => {
    const certificate = certificates.get(String(anchor.id));
    return certificate === undefined ? anchor : { ...anchor, certificate };
  });
  return { ...committed, ...own, ...(anchors.length > 0 && { [PROVIDED.anchors]: anchors }) };
}

/** The list of trust anchors, where it is one. */
export function anchorsOf(config: Readonly<Record<string, unknown>>): readonly AnchorEntry[] {
  const anchors = config[PROVIDED.anchors];
  return Array.isArray(anchors) ? (anchors as AnchorEntry[]) : [];
}

/** Makes the provided certificates of the workspace's copy the stack's own, which stay until the instance is removed. */
export async function keepProvided(paths: InstancePaths, stack: string): Promise<void> {
  const { config = {} } = await readStackFile(workspaceFile(paths, stack));
  await keep(paths, stack, {
    [PROVIDED.anchors]: anchorsOf(config).map(({ id, certificate }) => ({ id, certificate })),
    [PROVIDED.issuer]: config[PROVIDED.issuer],
    [PROVIDED.issuerKey]: config[PROVIDED.issuerKey],
  });
}

/** Makes these keys of the workspace's copy the stack's own, with all of its trust anchors. */
export async function keepAdopted(
  paths: InstancePaths,
  stack: string,
  keys: readonly string[],
): Promise<void> {
  const { config = {} } = await readStackFile(workspaceFile(paths, stack));
  await keep(paths, stack, Object.fromEntries(keys.map((key) => [key, config[key]])), true);
}

async function keep(
  paths: InstancePaths,
  stack: string,
  config: Readonly<Record<string, unknown>>,
  adopts = false,
): Promise<void> {
  const { encryptionsalt } = await readStackFile(workspaceFile(paths, stack));
  const target = ownFile(paths, stack);
  const { config: before = {}, adopted } = await readStackFile(target);
  const kept: StackFile = {
    encryptionsalt,
    ...((adopts || adopted === true) && { adopted: true }),
    config: { ...before, ...config },
  };
  await writeFile(`${target}.new`, stringify(kept), { mode: 0o600 });
  await rename(`${target}.new`, target);
}

/** Whether certificates or a key that the stack wants to be provided are missing. */
export function lacksProvided(config: Readonly<Record<string, unknown>>): boolean {
  const wanted = [config[PROVIDED.issuer], config[PROVIDED.issuerKey]];
  const certificates = anchorsOf(config).map(({ certificate }) => certificate);
  return config[PROVIDED.source] === "provided" && [...wanted, ...certificates].includes(undefined);
}
