import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

import * as k8s from "@kubernetes/client-node";

import { injectionApi } from "../../components/injection/injectionApi";
import { sandboxTools } from "../../tools/sandbox/build/tools";
import { type SandboxStatus, stopSandbox } from "../../tools/sandbox/supervisor";
import { messageOf } from "../../tools/shared/errors";
import { type InstancePaths, sandboxPaths } from "../../tools/shared/paths";
import { run as execute } from "../../tools/shared/run";
import { type Ended, run } from "./command";
import { eventually } from "./eventually";
import { stepwise } from "./steps";

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
  /** Absent where the request was refused before it was read. */
  readonly requestObject?: k8s.V1Pod;
  readonly responseStatus: { readonly code: number };
  readonly responseObject?: k8s.V1Pod & { readonly message?: string };
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

  /** Runs kubectl there and returns what it wrote. */
  public async kubectl(args: readonly string[], input?: string): Promise<string> {
    const { tools } = await sandboxTools();
    return execute(tools.kubectl, ["--kubeconfig", this.paths.kubeconfig, ...args], { input });
  }

  /** Deploys a meshed namespace `others` with a Deployment `api` of two pods, as other tools do. */
  public async deployOther(): Promise<void> {
    await this.kubectl(["create", "namespace", "others"]);
    await this.kubectl(["annotate", "namespace", "others", "linkerd.io/inject=enabled"]);
    await this.kubectl(["-n", "others", "create", "deployment", "api", "--image=api:1", "--replicas=2"]);
    await this.rolledOut("others", "deployment");
  }

  /** Restarts the pods of a workload, by default of all Deployments of the namespace, and waits for them. */
  public async restart(namespace: string, workload = "deployment"): Promise<void> {
    await this.kubectl(["-n", namespace, "rollout", "restart", workload]);
    await this.rolledOut(namespace, workload);
  }

  private async rolledOut(namespace: string, workload: string): Promise<void> {
    await this.kubectl(["-n", namespace, "rollout", "status", workload, "--timeout=60s"]);
  }

  /** Keeps the real program of a container from starting until it is released. */
  public async hold(container: string): Promise<void> {
    await mkdir(join(this.paths.root, "hold"), { recursive: true });
    await writeFile(join(this.paths.root, "hold", container), "");
  }

  public async release(container: string): Promise<void> {
    await rm(join(this.paths.root, "hold", container));
  }

  /**
   * Creates a pod, again where it was refused for the moment, as a controller would: the namespace's ServiceAccount is not
   * there yet, the injector has not read the namespace yet, or did not answer in time.
   */
  public async createPod(
    pod: k8s.V1Pod & { readonly metadata: { readonly namespace: string } },
  ): Promise<void> {
    const { namespace } = pod.metadata;
    let refusal = "";
    await eventually("the pod is created", 60, async () => {
      try {
        await this.client(k8s.CoreV1Api).createNamespacedPod({ namespace, body: pod });
        return true;
      } catch (error) {
        refusal = String(error);
        if (/not found|linkerd-mesh-guard/.test(refusal)) return false;
        throw error;
      }
    }).catch((error: unknown) => {
      throw new Error(`${messageOf(error)}: ${refusal}`, { cause: error });
    });
  }

  /** Every attempt to create a pod, dry runs left out, since the sandbox was made. */
  public async podCreations(): Promise<PodCreation[]> {
    const log = await readFile(join(this.paths.logs, "audit.log"), "utf8");
    // The last line may not be whole yet.
    return log
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as AuditEvent)
      .filter(
        ({ objectRef, requestURI }) =>
          objectRef.subresource === undefined && !requestURI.includes("dryRun=All"),
      )
      .map(({ objectRef, requestObject, responseStatus, responseObject }) => ({
        namespace: objectRef.namespace,
        inject: requestObject?.metadata?.annotations?.["linkerd.io/inject"],
        admitted: responseStatus.code === 201,
        message: responseObject?.message ?? "",
        containers: [
          ...(responseObject?.spec?.initContainers ?? []),
          ...(responseObject?.spec?.containers ?? []),
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

  /** Waits until no injector runs that could still answer. */
  public async injectorEnded(): Promise<void> {
    await eventually("the injector's process has ended", 60, async () => {
      const processes = Object.keys(await this.processNumbers());
      return !processes.some((name) => name.endsWith(".proxy-injector"));
    });
  }

  /** Waits until a pod of the namespace is injected: in the sandbox, an injector's pod is ready before it listens. */
  public async injects(namespace: string): Promise<void> {
    const api = injectionApi({ kubeconfig: this.paths.kubeconfig }, namespace);
    await eventually("pods are injected", 120, async () => (await api.dryRun(15_000)).injected);
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

  /** Where the process of a pod listens: the pod's address in the sandbox's own network. */
  public async listenAddress(pod: k8s.V1Pod | undefined): Promise<string> {
    const [network = ""] = /127\.\d+/.exec(await readFile(this.paths.kubeconfig, "utf8")) ?? [];
    return pod?.status?.podIP?.replace(/^10\.244/, network) ?? "";
  }

  /** Removes whatever an earlier, interrupted test run has left. */
  public async remove(): Promise<void> {
    await stopSandbox(this.paths);
    await rm(this.paths.root, { recursive: true, force: true });
  }
}

/**
 * A sandbox for the suite that calls this, whose tests go on from each other: new before it, and removed after it. After a
 * failure it is only stopped, so that its logs can be read.
 */
export function useSandbox(name: string): TestSandbox {
  const sandbox = new TestSandbox(name);
  let failed = false;
  before("a new sandbox", () => sandbox.remove());
  afterEach("the sandbox of a failure is kept", function () {
    failed ||= this.currentTest?.state === "failed";
  });
  stepwise();
  after("the sandbox is removed", async () => {
    if (!failed) return sandbox.remove();
    await stopSandbox(sandbox.paths);
    console.log(`      see ${sandbox.paths.logs}`);
  });
  return sandbox;
}
