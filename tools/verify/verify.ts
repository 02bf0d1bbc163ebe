import { checkAuthorization } from "./authorization";
import { checkCertificates } from "./certificates";
import { checkGuard } from "./guard";
import { checkInjection } from "./injection";
import type { Group } from "./model";
import { checkProxies } from "./proxies";
import type { Snapshot } from "./snapshot";
import { checkWebhooks } from "./webhooks";

/** All checks, in the order in which one depends on another. */
export function verify(snapshot: Snapshot): Group[] {
  return [checkCertificates, checkWebhooks, checkGuard, checkInjection, checkProxies, checkAuthorization].map(
    (checks) => checks(snapshot),
  );
}
