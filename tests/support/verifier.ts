import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { CoreV1Api, KubeConfig, type KubernetesObject } from "@kubernetes/client-node";
import { parseAllDocuments } from "yaml";

import { PROJECT } from "../../tools/shared/paths";
import type { TestSandbox } from "./testSandbox";

/** Name of the user for whom the documentation has Roles, and of most of these. */
export const VERIFIER = "linkerd-mtls-verify";

/** Creates the Roles in a section of docs/verify.md. */
export async function grant(sandbox: TestSandbox, section: string): Promise<void> {
  const page = await readFile(join(PROJECT, "docs/verify.md"), "utf8");
  const [, yaml = ""] = /```yaml\n([\s\S]*?)```/.exec(page.slice(page.indexOf(`# ${section}\n`))) ?? [];
  for (const document of parseAllDocuments(yaml)) {
    await sandbox.objects().create(document.toJS() as KubernetesObject);
  }
}

/** A kubeconfig with the token of a service account instead of the administrator's certificate. */
export async function kubeconfigOf(sandbox: TestSandbox, namespace: string, name: string): Promise<string> {
  const { status } = await sandbox.client(CoreV1Api).createNamespacedServiceAccountToken({
    namespace,
    name,
    body: { spec: { audiences: [], expirationSeconds: 3600 } },
  });
  const config = new KubeConfig();
  config.loadFromFile(sandbox.paths.kubeconfig);
  const users = config.users.map((user) => ({ name: user.name, token: status?.token ?? "" }));
  const { clusters, contexts, currentContext } = config;
  config.loadFromOptions({ clusters, contexts, currentContext, users });
  return config.exportConfig();
}

/** Writes the kubeconfig of {@link VERIFIER}, who was granted something before, and returns its path. */
export async function writeVerifier(sandbox: TestSandbox): Promise<string> {
  const file = join(sandbox.paths.root, "verifier");
  await writeFile(file, await kubeconfigOf(sandbox, "linkerd", VERIFIER), { mode: 0o600 });
  return file;
}
