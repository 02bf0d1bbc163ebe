import { createInterface } from "node:readline/promises";
import { UserError } from "../shared/errors";
import type { OpenBackend } from "./backend";
import { contextPaths, DEFAULT_SANDBOX, type InstancePaths, sandboxPaths } from "../shared/paths";
import { requireSandboxes, startSandbox, stopSandbox } from "./supervisor";
import {
  CERT_MANAGER_RELEASE,
  KUBERNETES_RELEASE,
  LINKERD_RELEASE,
  type OptionalTool,
  TRUST_MANAGER_RELEASE,
} from "./build/manifest";
import { prepare } from "./build/prepare";
import { type PulumiTools, pulumiTools } from "./build/pulumi";
import { sandboxTools } from "./build/tools";

/** Where a stack is deployed to: a sandbox, or the user's own cluster. */
export interface Target {
  readonly paths: InstancePaths;
  /** With which other commands find it, e.g. ` --name mine`; empty for the default sandbox. */
  readonly option: string;
  readonly pulumi: PulumiTools;
  /** Where the state is kept. Default: a `file://` backend in the instance's folder. */
  readonly backend?: OpenBackend;
  /** Configuration that the target asks for, by full key. */
  readonly overrides: Readonly<Record<string, string>>;
  /** Arguments and command with which kubectl reaches it. */
  readonly kubectl: string;
  /** How kubectl and other clients find the cluster. */
  readonly cluster: { readonly kubeconfig?: string; readonly context?: string };
  /** Lets the target outlive this process. */
  readonly release: () => void;
  /** Ends what this process started. */
  readonly abandon: () => Promise<void>;
}

/** How a target is made ready. */
export interface TargetOptions extends Pick<Target, "backend"> {
  /** Optional tools of a sandbox that are built if needed. Default: none. */
  readonly tools?: readonly OptionalTool[];
}

/** What is real in the sandbox and what is not; said at each deployment. */
const HONEST = [
  `Sandbox: Kubernetes ${KUBERNETES_RELEASE}: etcd, API server, controller manager and scheduler are real.`,
  `Linkerd ${LINKERD_RELEASE}: charts, CLI, identity, proxy injector, profile validator, tap and tap injector are real.`,
  "Its policy validator is a stand-in that allows everything; its other controllers do not run.",
  `cert-manager ${CERT_MANAGER_RELEASE} and trust-manager ${TRUST_MANAGER_RELEASE}: real, where they are deployed.`,
  "Containers are simulated by kwok: pods become Running and Ready, but no proxy runs and no traffic flows.",
].join("\n");

/** A sandbox, started if needed. */
export async function sandboxTarget(
  name: string,
  signal: AbortSignal,
  { backend, tools }: TargetOptions = {},
): Promise<Target> {
  const paths = sandboxPaths(name);
  await requireSandboxes();
  const [pulumi, sandbox] = [await pulumiTools(), await sandboxTools(tools)];
  await prepare([pulumi, sandbox], signal);
  console.log(HONEST);
  const running = await startSandbox(paths, sandbox.tools, signal);
  console.log(
    `Kubernetes answers at ${running.status.apiServer} (${running.started ? "started" : "ran before"}).`,
  );
  return {
    paths,
    option: name === DEFAULT_SANDBOX ? "" : ` --name ${name}`,
    pulumi: pulumi.tools,
    backend,
    overrides: {
      "linkerd-mtls:linkerdVersion": LINKERD_RELEASE,
      "linkerd-mtls:chartSource": sandbox.tools.charts,
      "linkerd-mtls:certManagerVersion": CERT_MANAGER_RELEASE,
      "linkerd-mtls:certManagerChartSource": sandbox.tools.certManagerCharts,
      "linkerd-mtls:trustManagerVersion": TRUST_MANAGER_RELEASE,
      "linkerd-mtls:trustManagerChartSource": sandbox.tools.trustManagerCharts,
      "kubernetes:kubeconfig": paths.kubeconfig,
    },
    kubectl: `${sandbox.tools.kubectl} --kubeconfig ${paths.kubeconfig}`,
    cluster: { kubeconfig: paths.kubeconfig },
    release: running.release,
    abandon: () => (running.started ? stopSandbox(paths) : Promise.resolve()),
  };
}

/** The user's own cluster, by the name of its context in the user's kubeconfig; nothing is started. */
export async function contextTarget(
  context: string,
  signal: AbortSignal,
  { backend }: TargetOptions = {},
): Promise<Target> {
  await requireContext(context);
  const pulumi = await pulumiTools();
  await prepare([pulumi], signal);
  return {
    paths: contextPaths(context),
    option: ` --context ${context}`,
    pulumi: pulumi.tools,
    backend,
    overrides: { "kubernetes:context": context },
    kubectl: `kubectl --context ${context}`,
    cluster: { context },
    release: () => undefined,
    abandon: () => Promise.resolve(),
  };
}

/**
 * Asks for the name of the user's cluster before it is changed; a sandbox needs no confirmation.
 *
 * @throws UserError when it was not confirmed, or standard input is no terminal, or there is no such context.
 */
export async function confirmContext(
  { context, yes }: { readonly context?: string; readonly yes: boolean },
  action: string,
): Promise<void> {
  if (context === undefined) return;
  await requireContext(context);
  if (yes) return;
  const remedy = "to confirm without being asked, add --yes";
  if (!process.stdin.isTTY)
    throw new UserError(`${action} on context "${context}" was not confirmed`, remedy);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(
    `${action} on the cluster of context "${context}". Type its name to go on: `,
  );
  terminal.close();
  if (answer.trim() !== context)
    throw new UserError(`"${answer.trim()}" is not "${context}"; nothing was done`, remedy);
}

/** @throws UserError unless the user's kubeconfig has that context. */
async function requireContext(context: string): Promise<void> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  config.loadFromDefault();
  const names = config.getContexts().map(({ name }) => name);
  if (!names.includes(context)) {
    throw new UserError(
      `the kubeconfig has no context "${context}"; it has ${names.join(", ") || "none"}`,
      "kubectl config get-contexts",
    );
  }
}
