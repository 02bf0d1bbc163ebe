import { checkAuthorization } from "./authorization";
import { checkCertificates } from "./certificates";
import { checkGuard } from "./guard";
import { checkInjection } from "./injection";
import { checkLinks } from "./links";
import type { Group } from "./model";
import { checkProxies } from "./proxies";
import type { Snapshot } from "./snapshot";
import { checkStack } from "./stack";
import type { StackOutputs } from "./stackOutputs";
import { checkTraffic } from "./traffic";
import { checkWebhooks } from "./webhooks";

/**
 * All checks, in the order in which one depends on another.
 *
 * @param outputs Of the stack to which the cluster is compared; default: to none.
 */
export function verify(snapshot: Snapshot, outputs?: StackOutputs): Group[] {
  const groups = [
    checkCertificates,
    checkWebhooks,
    checkGuard,
    checkInjection,
    checkProxies,
    checkTraffic,
    checkAuthorization,
    checkLinks,
  ].map((checks) => checks(snapshot));
  return outputs === undefined ? groups : [...groups, checkStack(snapshot, outputs)];
}
