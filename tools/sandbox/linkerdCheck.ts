import { CommandError, run } from "../shared/run";
import { LINKERD_RELEASE } from "./build/manifest";
import type { SandboxTools } from "./build/tools";

/** The categories of Linkerd's check that its control plane in the sandbox can pass; others ask proxies. */
const CATEGORIES = ["linkerd-config", "linkerd-identity", "linkerd-webhooks-and-apisvc-tls"];

/** One check of `linkerd check`. */
export interface LinkerdCheck {
  readonly category: string;
  readonly description: string;
  readonly result: "success" | "warning" | "error";
}

/**
 * Runs the real `linkerd check` and returns the checks of configuration, identity and webhooks.
 *
 * @throws Error when a category was not checked at all.
 */
export async function linkerdCheck(tools: SandboxTools, kubeconfig: string): Promise<LinkerdCheck[]> {
  const output = await run(
    tools.linkerd,
    ["check", "--output=json", "--wait=5s", `--expected-version=${LINKERD_RELEASE}`],
    { cwd: tools.linkerdSources, env: { KUBECONFIG: kubeconfig } },
  ).catch((error: unknown) => {
    // It fails when any check does, those of other categories too.
    if (error instanceof CommandError && error.stdout.startsWith("{")) return error.stdout;
    throw error;
  });
  // One document for Linkerd itself and, where there are extensions, a second one for them; each ends with a line `}`.
  const [document = ""] = output.split(/(?<=^})$/m, 1);
  const { categories } = JSON.parse(document) as {
    categories: { categoryName: string; checks: Omit<LinkerdCheck, "category">[] }[];
  };
  return CATEGORIES.flatMap((category) => {
    const checks = categories.find(({ categoryName }) => categoryName === category)?.checks ?? [];
    if (checks.length === 0) throw new Error(`linkerd check has not checked ${category}`);
    return checks.map((check) => ({ ...check, category }));
  });
}
