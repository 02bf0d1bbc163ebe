import { identityOf, isLive, proxyOf, variable } from "../../components/cluster/meshedPods";
import { ownerOf } from "../../components/cluster/podOwner";
import type { Snapshot } from "../verify/snapshot";

/** Variable of a proxy with what it does with connections that no `Server` describes. */
const DEFAULT_POLICY_VARIABLE = "LINKERD2_PROXY_INBOUND_DEFAULT_POLICY";

/** An identity, and who has it. */
export interface IdentityRow {
  /** E.g. `default.shop.serviceaccount.identity.linkerd.cluster.local`. */
  readonly identity: string;
  readonly pods: number;
  readonly workloads: readonly string[];
}

/** What proxies do with connections that no `Server` describes. */
export interface DefaultPolicyRow {
  /** E.g. `all-unauthenticated`. */
  readonly policy: string;
  /** Whether clients need no identity. */
  readonly isOpen: boolean;
  readonly pods: number;
  readonly namespaces: readonly string[];
}

/** Who is who in the mesh, and who lets in whom by default. */
export interface Identities {
  readonly identities: readonly IdentityRow[];
  readonly defaultPolicies: readonly DefaultPolicyRow[];
}

/** Reads the pods' proxies: what the injector gave them, whatever namespaces say by now. */
export function identitiesOf({ pods }: Snapshot): Identities {
  const identities = new Map<string, { pods: number; readonly workloads: Set<string> }>();
  const policies = new Map<string, { pods: number; readonly namespaces: Set<string> }>();
  for (const pod of pods.filter(isLive)) {
    const proxy = proxyOf(pod);
    if (proxy === undefined) continue;
    const namespace = pod.metadata?.namespace ?? "";
    const name = identityOf(pod);
    if (name !== undefined) {
      const identity = identities.get(name) ?? { pods: 0, workloads: new Set() };
      identities.set(name, identity);
      identity.pods++;
      identity.workloads.add(ownerOf(pod));
    }
    const policy = variable(proxy, DEFAULT_POLICY_VARIABLE);
    if (policy !== undefined) {
      const row = policies.get(policy) ?? { pods: 0, namespaces: new Set() };
      policies.set(policy, row);
      row.pods++;
      row.namespaces.add(namespace);
    }
  }
  return {
    identities: sorted(identities).map(([identity, { pods: number, workloads }]) => ({
      identity,
      pods: number,
      workloads: [...workloads].sort(),
    })),
    defaultPolicies: sorted(policies).map(([policy, { pods: number, namespaces }]) => ({
      policy,
      isOpen: policy.endsWith("-unauthenticated") || policy === "audit",
      pods: number,
      namespaces: [...namespaces].sort(),
    })),
  };
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([one], [other]) => one.localeCompare(other));
}
