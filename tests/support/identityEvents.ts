import { CoreV1Api } from "@kubernetes/client-node";

import type { TestSandbox } from "./testSandbox";

/** How often identity has reported what it did with a new issuer. */
export async function identityEvents(
  sandbox: TestSandbox,
  reason: "IssuerUpdated" | "IssuerUpdateSkipped",
): Promise<number> {
  const { items } = await sandbox
    .client(CoreV1Api)
    .listNamespacedEvent({ namespace: "linkerd", fieldSelector: `reason=${reason}` });
  return items.reduce((sum, { count = 1 }) => sum + count, 0);
}
