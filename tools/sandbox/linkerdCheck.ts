import { CommandError, run } from "../shared/run";
import { LINKERD_RELEASE } from "./build/manifest";
import type { SandboxTools } from "./build/tools";

/** The categories of Linkerd's check that its control plane in the sandbox can pass; others ask proxies. */
const CATEGORIES = ["linkerd-config", "linkerd-identity", "linkerd-webhooks-and-apisvc-tls"];

/** What it also checks with `--proxy`, of pods and of viz; not after an error before these. */
const PROXY_CATEGORIES = ["linkerd-identity-data-plane", "linkerd-viz"];

/** One check of `linkerd check`. */
export interface LinkerdCheck {
  readonly category: string;
  readonly description: string;
  readonly result: "success" | "warning" | "error";
}

interface Answer {
  readonly categories: readonly {
    readonly categoryName: string;
    readonly checks: readonly Omit<LinkerdCheck, "category">[];
  }[];
}

/**
 * Runs the real `linkerd check` and returns the checks of configuration, identity and webhooks.
 *
 * @param proxies Whether pods with a proxy, and viz, are checked, too.
 *
 * @throws Error when a category was not checked at all.
 */
export async function linkerdCheck(
  tools: SandboxTools,
  kubeconfig: string,
  proxies = false,
): Promise<LinkerdCheck[]> {
  const output = await run(
    tools.linkerd,
    [
      "check",
      ...["--output=json", "--wait=5s", `--expected-version=${LINKERD_RELEASE}`],
      ...(proxies ? ["--proxy"] : []),
    ],
    { cwd: tools.linkerdSources, env: { KUBECONFIG: kubeconfig } },
  ).catch((error: unknown) => {
    // It fails when any check does, those of other categories too.
    if (error instanceof CommandError && error.stdout.startsWith("{")) return error.stdout;
    throw error;
  });
  // One document for Linkerd itself and, where there are extensions, a second one for them; each ends with a line `}`.
  const documents = output.split(/(?<=^})$/m).filter((document) => document.trim() !== "");
  const categories = documents.flatMap((document) => (JSON.parse(document) as Answer).categories);
  return [...CATEGORIES, ...(proxies ? PROXY_CATEGORIES : [])].flatMap((category) => {
    const checks = categories.find(({ categoryName }) => categoryName === category)?.checks ?? [];
    if (checks.length === 0) throw new Error(`linkerd check has not checked ${category}`);
    return checks.map((check) => ({ ...check, category }));
  });
}
