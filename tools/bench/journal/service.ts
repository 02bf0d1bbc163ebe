import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { UserError } from "../../shared/errors";

/** A state service that runs. */
export interface StateService {
  /** For PULUMI_BACKEND_URL. */
  readonly url: string;
  /** For PULUMI_ACCESS_TOKEN. */
  readonly token: string;
  /** Number of its process. */
  readonly pid: number;
  /** Ends it. It also ends with this process, however that ends. */
  readonly close: () => Promise<void>;
}

/**
 * Starts the service that keeps the state in a folder (`toolchain/pulumi/pulumi-state`) and holds a lock on the folder
 * while it runs.
 *
 * @param service The service's binary.
 * @param folder The folder, made if needed.
 * @throws UserError in its own words when it cannot start, for instance because another operation is at work.
 */
export async function serveState(service: string, folder: string): Promise<StateService> {
  // In a session of its own it does not get Ctrl-C: Pulumi's CLI still has its last steps to record.
  const child = spawn(service, ["-dir", folder], { detached: true, stdio: "pipe" });
  child.stdin.on("error", () => undefined); // it has ended, which `closed` reports
  const closed = once(child, "close");
  let failure = "";
  child.stderr.on("data", (chunk: Buffer) => (failure += chunk.toString()));
  const line = await Promise.race([
    once(createInterface(child.stdout), "line"),
    closed.then(() => {
      throw new UserError(failure.trim());
    }),
  ]);
  const { url, token } = JSON.parse(String(line[0])) as { url: string; token: string };
  const close = async () => {
    child.stdin.end();
    await closed;
  };
  return { url, token, pid: child.pid ?? 0, close };
}
