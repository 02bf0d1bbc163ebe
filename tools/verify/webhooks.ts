import { type Check, check, type Group } from "./model";
import { isInjector } from "./servers";
import type { GuardState, ServerState, Snapshot } from "./snapshot";
import { refuses } from "./guard";

/** Checks that the API server can reach the webhooks and tap, and what it does where it cannot. */
export function checkWebhooks({ servers, guard }: Snapshot): Group {
  return { group: "webhooks", checks: servers.flatMap((server) => checkServer(server, guard)) };
}

function checkServer(server: ServerState, guard: GuardState): Check[] {
  const { kind, name, namespace, service, isRequired, live, endpoints } = server;
  if (live === undefined) {
    return isRequired ? [check(`${kind} ${name} exists`, ["is not there"], "absent")] : [];
  }
  const what =
    kind === "APIService"
      ? `APIService ${name} is available, and its Service has an endpoint`
      : `webhook ${namespace}/${service} has an endpoint`;
  const found = [
    ...(endpoints === 0 ? [`Service ${namespace}/${service} has no endpoint that is ready`] : []),
    ...(live.unavailable === undefined ? [] : [live.unavailable]),
  ];
  return [
    { ...check(what, found, "webhook"), note: `${endpoints} ready` },
    ...(isInjector(server) ? [checkFailurePolicy(live.failurePolicy, guard)] : []),
  ];
}

/** Without the injector's answer a pod is created outside the mesh, unless the webhook or the guard refuses it. */
function checkFailurePolicy(policy: string | undefined, guard: GuardState): Check {
  const isSafe = policy === "Fail" || refuses(guard);
  return {
    ...check(
      "no pod is created outside the mesh while the injector does not answer",
      isSafe ? [] : [`failure policy ${policy ?? "Fail"}, and no guard refuses such a pod`],
      "guard",
      "warning",
    ),
    ...(isSafe && {
      note: policy === "Fail" ? "failure policy Fail" : `failure policy ${policy ?? ""}, and the guard`,
    }),
  };
}
