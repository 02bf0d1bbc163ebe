import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** The checkout. */
export const PROJECT = resolve(__dirname, "..");

/** The Go modules that pin the tools, one folder each. */
export const TOOLCHAIN = join(PROJECT, "sandbox", "toolchain");

/** Where built tools are kept: shared by all checkouts of this user, and safe to delete. */
export const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "linkerd-mtls");

/** Everything that one sandbox, or one deployment to somebody's cluster, leaves on this machine. Ignored by git. */
export interface InstancePaths {
  readonly root: string;
  /** The supervisor's status.json, written by it. */
  readonly status: string;
  readonly supervisorLog: string;
  readonly logs: string;
  readonly kubeconfig: string;
  /** The folder the Pulumi CLI works in, with its own copy of the stack's configuration. */
  readonly workspace: string;
  /** Pulumi's state, a `file://` backend. */
  readonly state: string;
  /** The generated passphrase that encrypts the secrets in that state. */
  readonly passphrase: string;
}

/** The paths of the instance with that name. */
export function instancePaths(name: string): InstancePaths {
  const root = join(PROJECT, ".sandbox", name);
  return {
    root,
    status: join(root, "status.json"),
    supervisorLog: join(root, "logs", "supervisor.log"),
    logs: join(root, "logs"),
    kubeconfig: join(root, "kubeconfig"),
    workspace: join(root, "workspace"),
    state: join(root, "state"),
    passphrase: join(root, "passphrase"),
  };
}
