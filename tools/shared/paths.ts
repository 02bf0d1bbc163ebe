import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { UserError } from "./errors";

/** The checkout. */
export const PROJECT = resolve(__dirname, "../..");

/** The Go modules that pin the tools, one folder each. */
export const TOOLCHAIN = join(PROJECT, "tools", "sandbox", "toolchain");

/** Where built tools are kept: shared by all checkouts of this user, and safe to delete. */
export const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "linkerd-mtls");

/** Everything that one sandbox, or one deployment to the user's own cluster, leaves on this machine. Ignored by git. */
export interface InstancePaths {
  readonly root: string;
  /** The supervisor's status.json, written by it. */
  readonly status: string;
  readonly supervisorLog: string;
  readonly logs: string;
  readonly kubeconfig: string;
  /** kwok's stages: how the sandbox's nodes and pods become ready. */
  readonly stages: string;
  /** The folder the Pulumi CLI works in, with its own copy of the stack's configuration. */
  readonly workspace: string;
  /** Pulumi's `file://` backend. */
  readonly state: string;
  /** The generated passphrase that encrypts the secrets in that state. */
  readonly passphrase: string;
}

/** Name of the sandbox where none is named. */
export const DEFAULT_SANDBOX = "default";

/** What a sandbox may be called. Its name becomes a folder, which is removed with it. */
const SANDBOX_NAME = /^[a-z0-9][a-z0-9-]*$/;

/**
 * The paths of the sandbox with that name.
 *
 * @throws UserError when the name is not made of lower-case letters, digits and hyphens.
 */
export function sandboxPaths(name: string): InstancePaths {
  if (!SANDBOX_NAME.test(name)) {
    throw new UserError(
      `"${name}" cannot be the name of a sandbox: it must match ${SANDBOX_NAME.source}`,
      "--name mine",
    );
  }
  return pathsBelow(join(PROJECT, ".sandbox", name));
}

/** The paths of the deployment to the user's own cluster, by the name of its context. */
export function contextPaths(context: string): InstancePaths {
  // Capital letters keep it apart from sandboxes, whose names have none.
  return pathsBelow(join(PROJECT, ".sandbox", "CONTEXTS", encodeURIComponent(context)));
}

function pathsBelow(root: string): InstancePaths {
  return {
    root,
    status: join(root, "status.json"),
    supervisorLog: join(root, "logs", "supervisor.log"),
    logs: join(root, "logs"),
    kubeconfig: join(root, "kubeconfig"),
    stages: join(root, "stages.yaml"),
    workspace: join(root, "workspace"),
    state: join(root, "state"),
    passphrase: join(root, "passphrase"),
  };
}
