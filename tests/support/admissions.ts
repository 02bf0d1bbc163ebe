import { setTimeout as sleep } from "node:timers/promises";

import { CoreV1Api } from "@kubernetes/client-node";

import { eventually } from "./eventually";
import type { TestSandbox } from "./testSandbox";

/** Pods that are created one after another while something else happens, and what becomes of each. */
export class Admissions {
  /** How many had their proxy. */
  public injected = 0;
  /** How many the guard refused, or an injector that had just started: their controller would try again. */
  public refused = 0;
  /** What became of the rest. */
  public readonly unexpected: string[] = [];

  private constructor(
    private readonly sandbox: TestSandbox,
    private readonly namespace: string,
    private readonly dryRun?: "All",
  ) {}

  /** Creates pods in a namespace, or only tries to, until the work is done. */
  public static async during(
    work: (admissions: Admissions) => Promise<void>,
    where: { readonly sandbox: TestSandbox; readonly namespace: string; readonly dryRun?: "All" },
    intervalMilliseconds: number,
  ): Promise<Admissions> {
    const admissions = new Admissions(where.sandbox, where.namespace, where.dryRun);
    let isOver = false;
    const attempts = async () => {
      while (!isOver) {
        await admissions.attempt();
        await sleep(intervalMilliseconds);
      }
    };
    await Promise.all([work(admissions).finally(() => (isOver = true)), attempts()]);
    return admissions;
  }

  /** Waits until one more pod has got its proxy. */
  public async another(): Promise<void> {
    const before = this.injected;
    await eventually("another pod is injected", 60, () => this.injected > before);
  }

  private async attempt(): Promise<void> {
    const { namespace, dryRun } = this;
    const body = {
      metadata: { generateName: "pod-" },
      spec: { containers: [{ name: "main", image: "registry.k8s.io/pause:3.10" }] },
    };
    try {
      const { spec } = await this.sandbox.client(CoreV1Api).createNamespacedPod({ namespace, dryRun, body });
      const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
      if (containers.some(({ name }) => name === "linkerd-proxy")) this.injected++;
      else this.unexpected.push("admitted without its proxy");
    } catch (error) {
      if (isRefusal(String(error), namespace)) this.refused++;
      else this.unexpected.push(String(error));
    }
  }
}

/**
 * Linkerd's injector listens before it has read the namespaces (linkerd2, controller/webhook/launcher.go). On a cluster with
 * kubelets, nobody asks it before it is ready; in the sandbox, pods are ready at once.
 */
function isRefusal(error: string, namespace: string): boolean {
  const starting = new RegExp(
    `linkerd-proxy-injector.* denied the request: namespaces \\W+${namespace}\\W+ not found`,
  );
  return error.includes("linkerd-mesh-guard") || starting.test(error);
}
