import { join } from "node:path";
import { UserError } from "../../shared/errors";
import { TOOLCHAIN } from "../../shared/paths";
import { CommandError, run } from "../../shared/run";

/** The oldest Go that builds every module: the one that Kubernetes asks for. */
const OLDEST_GO = [1, 26] as const;

const INSTALL_GO = `install Go ${OLDEST_GO.join(".")} or newer (https://go.dev/doc/install) and put it on PATH`;

/** Settings of the build, whatever the user has set; the module proxy and the caches are the user's. */
export const ENVIRONMENT = {
  CGO_ENABLED: "0",
  GOFLAGS: "-mod=readonly",
  GOTOOLCHAIN: "local",
  GOWORK: "off",
};

/** The compiler allocates much and keeps little: collecting garbage less often trades memory for a fifth of the time. */
const GARBAGE = { GOGC: "400" };

/**
 * Checks that a fitting Go is on PATH.
 *
 * @throws UserError when it is missing or too old.
 */
export async function requireGo(): Promise<void> {
  let version: string;
  try {
    version = (await run("go", ["env", "GOVERSION"], { env: ENVIRONMENT })).trim();
  } catch (error) {
    if (error instanceof CommandError && error.notFound) {
      throw new UserError("Go is needed to build the sandbox's tools and was not found on PATH", INSTALL_GO);
    }
    throw error;
  }
  const [major = 0, minor = 0] = version.replace(/^go/, "").split(".").map(Number);
  if (major < OLDEST_GO[0] || (major === OLDEST_GO[0] && minor < OLDEST_GO[1])) {
    throw new UserError(`Go ${OLDEST_GO.join(".")} or newer is needed; PATH has ${version}`, INSTALL_GO);
  }
}

/** Runs `go` in the folder of a module and returns its standard output. */
export async function go(module: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  try {
    return await run("go", args, {
      cwd: join(TOOLCHAIN, module),
      env: { ...ENVIRONMENT, ...GARBAGE },
      signal,
    });
  } catch (error) {
    if (signal.aborted) {
      if (signal.reason instanceof UserError) throw signal.reason;
      throw new UserError(
        "interrupted while the tools were built",
        "run the same command again: it continues",
      );
    }
    if (!(error instanceof CommandError)) throw error;
    // What precedes the options: "build", "mod download".
    const [subcommand] = args.join(" ").split(" -");
    throw explain(`go ${subcommand ?? ""} in tools/sandbox/toolchain/${module}`, error.stderr);
  }
}

/** Turns the words of the go command into the cause that the user can remove. */
export function explain(command: string, stderr: string): UserError {
  const lastLines = stderr.trim().split("\n").slice(-6).join("\n");
  if (stderr.includes("no space left on device")) {
    return new UserError(
      `the disk is full (${command})`,
      "free about 10 GB; `go clean -cache` frees Go's build cache",
    );
  }
  if (/dial tcp|no such host|i\/o timeout|connection refused|TLS handshake|proxyconnect/.test(stderr)) {
    return new UserError(
      `a module could not be downloaded (${command}):\n${lastLines}`,
      "check the network and `go env GOPROXY`; what was downloaded is kept, run the same command again",
    );
  }
  return new UserError(`${command} failed:\n${lastLines}`);
}

/** Downloads all modules that a module needs, several at a time, and checks them against its go.sum. */
export async function download(module: string, signal: AbortSignal): Promise<void> {
  await go(module, ["mod", "download"], signal);
}

/** The sources of a dependency. */
export interface Source {
  /** Its folder in Go's module cache, which is read-only. */
  readonly directory: string;
  /** Its module path and version, as `PATH@VERSION`. */
  readonly id: string;
}

/** Finds the sources of a dependency of that module, downloading them if needed. */
export async function sourceOf(dependency: string, module: string, signal: AbortSignal): Promise<Source> {
  const json = await go(module, ["mod", "download", "-json", dependency], signal);
  const { Dir, Path, Version } = JSON.parse(json) as { Dir: string; Path: string; Version: string };
  return { directory: Dir, id: `${Path}@${Version}` };
}
