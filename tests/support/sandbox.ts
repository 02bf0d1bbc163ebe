import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";

import * as k8s from "@kubernetes/client-node";

import { type InstancePaths, sandboxPaths, PROJECT } from "../../tools/shared/paths";
import type { SandboxStatus } from "../../tools/sandbox/supervisor";

/** How a command ended and what it printed, both streams together. */
export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** A command of `tools/sandbox/main.ts` that runs as its own process, as `npm run` starts it. */
export interface Command {
  readonly ended: Promise<Ended>;
  /** What it has printed so far. */
  readonly output: () => string;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Waits until it has printed the text; else ends it and throws all that it has printed. */
  readonly prints: (text: string) => Promise<void>;
}

/** A deployment that has not come as far as a test waits for by then is stuck. */
const PATIENCE_SECONDS = 45;

/** A command that has not ended by then is stuck; it is killed, so that what it printed is seen. */
const LIMIT_SECONDS = 240;

/** Starts `npm run ARGS...`, or another command of the checkout. */
export function start(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  main = "tools/sandbox/main.ts",
): Command {
  const child = spawn(process.execPath, ["--import", "tsx", main, ...args], {
    cwd: PROJECT,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  }
  const limit = setTimeout(() => child.kill("SIGKILL"), LIMIT_SECONDS * 1000);
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code) => {
      clearTimeout(limit);
      resolve({ code, output });
    });
  });
  const prints = async (text: string) => {
    try {
      await eventually(text, PATIENCE_SECONDS, () => output.includes(text) || child.exitCode !== null);
      assert(output.includes(text), `the command ended without printing "${text}"`);
    } catch (error) {
      child.kill("SIGKILL");
      throw new Error(`${String(error)}; it printed:\n${output}`, { cause: error });
    }
  };
  return { ended, output: () => output, kill: (signal) => child.kill(signal), prints };
}

/** Runs `npm run ARGS...` to its end. */
export function run(...args: string[]): Promise<Ended> {
  return start(args).ended;
}

/** Runs it and throws, with all that it printed, unless it succeeds. */
export async function succeed(...args: string[]): Promise<string> {
  const { code, output } = await run(...args);
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}:\n${output}`);
  return output;
}

/** Arguments that configure a deployment with these values, by key. */
export function configuration(values: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(values).flatMap(([key, value]) => [
    "-c",
    `linkerd-mtls:${key}=${JSON.stringify(value)}`,
  ]);
}

/** Waits until the check holds; throws its description when that takes too long. */
export async function eventually(
  what: string,
  seconds: number,
  check: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`);
    await sleep(100);
  }
}

/** An attempt to create a pod, as the API server recorded it. */
export interface PodCreation {
  readonly namespace: string;
  /** The pod's own `linkerd.io/inject`. */
  readonly inject: string | undefined;
  readonly admitted: boolean;
  readonly message: string;
  /** Names of all containers of the pod as it was stored. */
  readonly containers: readonly string[];
}

/** Whether a pod has its proxy. */
export function isMeshed({ containers }: PodCreation): boolean {
  return containers.includes("linkerd-proxy");
}

interface AuditEvent {
  readonly objectRef: { readonly namespace: string; readonly subresource?: string };
  readonly requestURI: string;
  readonly requestObject: k8s.V1Pod;
  readonly responseStatus: { readonly code: number };
  readonly responseObject: k8s.V1Pod & { readonly message?: string };
}

/** One sandbox of the tests. */
export class TestSandbox {
  public readonly paths: InstancePaths;

  public constructor(public readonly name: string) {
    this.paths = sandboxPaths(name);
  }

  public up(...args: string[]): Promise<Ended> {
    return run("up", "--name", this.name, ...args);
  }

  /** A client of its API server. */
  public client<T extends k8s.ApiType>(api: new (configuration: k8s.Configuration) => T): T {
    return this.config().makeApiClient(api);
  }

  /** Creates or updates objects as `kubectl apply` does. */
  public objects(): k8s.KubernetesObjectApi {
    return k8s.KubernetesObjectApi.makeApiClient(this.config());
  }

  private config(): k8s.KubeConfig {
    const config = new k8s.KubeConfig();
    config.loadFromFile(this.paths.kubeconfig);
    return config;
  }

  /** Keeps the real program of a container from starting until it is released. */
  public async hold(container: string): Promise<void> {
    await mkdir(join(this.paths.root, "hold"), { recursive: true });
    await writeFile(join(this.paths.root, "hold", container), "");
  }

  public async release(container: string): Promise<void> {
    await rm(join(this.paths.root, "hold", container));
  }

  /** Every attempt to create a pod, dry runs left out, since the sandbox was made. */
  public async podCreations(): Promise<PodCreation[]> {
    const log = await readFile(join(this.paths.logs, "audit.log"), "utf8");
    return log
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as AuditEvent)
      .filter(
        ({ objectRef, requestURI }) =>
          objectRef.subresource === undefined && !requestURI.includes("dryRun=All"),
      )
      .map(({ objectRef, requestObject, responseStatus, responseObject }) => ({
        namespace: objectRef.namespace,
        inject: requestObject.metadata?.annotations?.["linkerd.io/inject"],
        admitted: responseStatus.code === 201,
        message: responseObject.message ?? "",
        containers: [
          ...(responseObject.spec?.initContainers ?? []),
          ...(responseObject.spec?.containers ?? []),
        ].map(({ name }) => name),
      }));
  }

  /** The values and manifests of every Helm release, decoded. */
  public async helmReleases(): Promise<string[]> {
    const { items } = await this.client(k8s.CoreV1Api).listSecretForAllNamespaces({
      labelSelector: "owner=helm",
    });
    return items.map(({ data }) => {
      // The API encodes in base64, Helm did so before, after compressing.
      const stored = Buffer.from(data?.release ?? "", "base64").toString();
      return gunzipSync(Buffer.from(stored, "base64")).toString();
    });
  }

  /** Name, version and state of each Helm release's record. */
  public async helmReleaseStates(): Promise<string[]> {
    const { items } = await this.client(k8s.CoreV1Api).listSecretForAllNamespaces({
      labelSelector: "owner=helm",
    });
    return items.map(({ metadata }) => `${metadata?.name ?? ""} ${metadata?.labels?.status ?? ""}`);
  }

  /** Numbers of its processes by name, as the supervisor tells them. */
  public async processNumbers(): Promise<Readonly<Record<string, number>>> {
    const status = JSON.parse(await readFile(this.paths.status, "utf8")) as SandboxStatus;
    return status.processes ?? {};
  }

  /** Numbers of the processes of this sandbox that live. */
  public async processes(): Promise<number[]> {
    const numbers = (await readdir("/proc")).map(Number).filter((number) => number > 0);
    const mine = await Promise.all(
      numbers.map(async (number) => {
        const command = await readFile(`/proc/${number}/cmdline`, "utf8").catch(() => "");
        // Pulumi's CLI and plugins are known by the workspace whose account they use.
        const environment = await readFile(`/proc/${number}/environ`, "utf8").catch(() => "");
        return (
          command.includes(`${this.paths.root}/`) ||
          command.includes(`-dir=${this.paths.root}\0`) ||
          environment.includes(`PULUMI_CREDENTIALS_PATH=${this.paths.workspace}\0`)
        );
      }),
    );
    return numbers.filter((_, index) => mine[index]);
  }

  /** Removes whatever an earlier, interrupted test run has left. */
  public async remove(): Promise<void> {
    await succeed("sandbox", "stop", "--name", this.name);
    await rm(this.paths.root, { recursive: true, force: true });
  }
}
