import assert from "node:assert/strict";
import { cp, rename, rm } from "node:fs/promises";

import { type Command, start, succeed } from "./command";
import type { TestSandbox } from "./testSandbox";

/** Cluster-scoped kinds that a deployment makes. */
const KINDS = [
  "namespaces,customresourcedefinitions,apiservices,clusterroles,clusterrolebindings",
  "mutatingwebhookconfigurations,validatingwebhookconfigurations",
  "validatingadmissionpolicies,validatingadmissionpolicybindings",
].join(",");

/** A destroy that a test kills and repeats, of a small mesh in a sandbox that goes on running. */
export class RepeatedDestroy {
  private empty: readonly string[] = [];

  public constructor(private readonly sandbox: TestSandbox) {}

  /** What an empty cluster has, to compare with. */
  public async begin(): Promise<void> {
    await succeed("sandbox", "start", "--name", this.sandbox.name);
    this.empty = await this.objects();
  }

  /** Deploys, and starts to destroy. */
  public async start(): Promise<Command> {
    await succeed("up", "--name", this.sandbox.name);
    return start(this.command());
  }

  /** Kills the command, so that it cannot clean up. */
  public async kill(command: Command): Promise<void> {
    command.kill("SIGKILL");
    await command.ended;
  }

  /** Repeats it: it succeeds, and leaves an empty cluster. What it printed. */
  public async repeat(): Promise<string> {
    const output = await succeed(...this.command());
    assert.deepEqual(await this.objects(), this.empty);
    return output;
  }

  /** Repeats it twice: the second time from the state that the kill left, as if all had been deleted but not written. */
  public async repeatUnwritten(): Promise<string> {
    const { state, workspace } = this.sandbox.paths;
    for (const folder of [state, workspace]) await cp(folder, `${folder}-left`, { recursive: true });
    await this.repeat();
    for (const folder of [state, workspace]) {
      await rm(folder, { recursive: true });
      await rename(`${folder}-left`, folder);
    }
    return this.repeat();
  }

  private command(): readonly string[] {
    return ["down", "--keep", "--name", this.sandbox.name];
  }

  private async objects(): Promise<readonly string[]> {
    const names = await this.sandbox.kubectl(["get", KINDS, "-o", "name"]);
    return names.trim().split("\n").sort();
  }
}
