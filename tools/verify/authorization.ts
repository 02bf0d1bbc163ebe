import type { V1Pod } from "@kubernetes/client-node";

import { isLive, proxyOf, variable } from "../../components/cluster/meshedPods";
import { type Check, check, type Group } from "./model";
import type { PolicyObject, PolicyObjects, Reference } from "./policyObjects";
import { selects } from "./selectors";
import type { Snapshot } from "./snapshot";

type Server = PolicyObjects["servers"][number];
type ServerAuthorization = PolicyObjects["serverauthorizations"][number];
type AuthorizationPolicy = PolicyObjects["authorizationpolicies"][number];

/** Variable of a proxy with the inbound policy of ports that no Server describes. */
const DEFAULT_POLICY = "LINKERD2_PROXY_INBOUND_DEFAULT_POLICY";

/** Inbound policies under which clients without TLS are let in. */
const UNAUTHENTICATED = ["all-unauthenticated", "cluster-unauthenticated", "audit"];

/** Namespaces that are named in a note. */
const NAMED = 5;

/** Finds policies of Linkerd that have no effect, and says which namespaces let in clients without TLS. */
export function checkAuthorization({ pods, namespaces, policies }: Snapshot): Group {
  return {
    group: "authorization",
    checks: [
      ...(policies === undefined
        ? [{ check: "policies have an effect", result: "skipped" as const, note: "they must not be read" }]
        : checkEffects(
            policies,
            pods,
            namespaces.map(({ metadata }) => metadata?.name ?? ""),
          )),
      unauthenticated(pods),
    ],
  };
}

function checkEffects(
  policies: PolicyObjects,
  pods: readonly V1Pod[],
  namespaces: readonly string[],
): Check[] {
  return [
    check(
      "each Server selects a pod that has its port",
      policies.servers.flatMap((server) => idle(server, pods)),
      "policies",
      "warning",
    ),
    check(
      "each ServerAuthorization and AuthorizationPolicy refers to what is there",
      [
        ...policies.serverauthorizations.flatMap((authorization) => serverless(authorization, policies)),
        ...policies.authorizationpolicies.flatMap((policy) => dangling(policy, policies, namespaces)),
      ].sort(),
      "policies",
      "warning",
    ),
  ];
}

function nameOf(kind: string, { metadata }: PolicyObject<unknown>): string {
  return `${kind} ${metadata.namespace}/${metadata.name}`;
}

/** On objects of Linkerd's extensions. The chart of viz makes the Server of its Prometheus although that is switched off. */
const EXTENSION = "linkerd.io/extension";

/** Pods that have ended count: those of a CronJob come again. */
function idle(server: Server, pods: readonly V1Pod[]): string[] {
  const { podSelector, port } = server.spec;
  if (podSelector === undefined || EXTENSION in (server.metadata.labels ?? {})) return [];
  const selected = pods.filter(
    ({ metadata }) =>
      metadata?.namespace === server.metadata.namespace && selects(podSelector, metadata.labels),
  );
  if (selected.length === 0) return [`${nameOf("Server", server)} selects no pod`];
  const isNamed = typeof port === "string" && !/^\d+$/.test(port);
  return isNamed && !selected.some((pod) => portNames(pod).includes(port))
    ? [`${nameOf("Server", server)}: none of its ${selected.length} pods has a port with the name ${port}`]
    : [];
}

function portNames({ spec }: V1Pod): string[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].flatMap(({ ports = [] }) =>
    ports.flatMap(({ name }) => name ?? []),
  );
}

function serverless(authorization: ServerAuthorization, { servers }: PolicyObjects): string[] {
  const { name, selector } = authorization.spec.server;
  const selected = servers.filter(
    ({ metadata }) =>
      metadata.namespace === authorization.metadata.namespace &&
      (name === undefined ? selects(selector, metadata.labels) : metadata.name === name),
  );
  return selected.length > 0 ? [] : [`${nameOf("ServerAuthorization", authorization)} selects no Server`];
}

function dangling(
  policy: AuthorizationPolicy,
  { servers, ...others }: PolicyObjects,
  namespaces: readonly string[],
): string[] {
  const { targetRef, requiredAuthenticationRefs = [] } = policy.spec;
  const own = policy.metadata.namespace;
  const isThere = (
    objects: readonly PolicyObject<unknown>[],
    { name, namespace = own }: Reference,
  ): boolean => objects.some(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
  const missing = [
    // Routes are not read.
    ...((targetRef.kind === "Server" && !isThere(servers, targetRef)) ||
    (targetRef.kind === "Namespace" && !namespaces.includes(targetRef.name))
      ? [targetRef]
      : []),
    ...requiredAuthenticationRefs.filter((reference) => {
      const objects = {
        MeshTLSAuthentication: others.meshtlsauthentications,
        NetworkAuthentication: others.networkauthentications,
      }[reference.kind];
      return objects !== undefined && !isThere(objects, reference);
    }),
  ];
  return missing.map(
    ({ kind, name }) =>
      `${nameOf("AuthorizationPolicy", policy)} refers to ${kind} ${name}, which is not there`,
  );
}

/** It is Linkerd's default, so it is no finding. */
function unauthenticated(pods: readonly V1Pod[]): Check {
  const meshed = pods.filter(isLive).flatMap((pod) => {
    const proxy = proxyOf(pod);
    return proxy === undefined ? [] : [{ pod, policy: variable(proxy, DEFAULT_POLICY) ?? "" }];
  });
  const open = new Set(
    meshed
      .filter(({ policy }) => UNAUTHENTICATED.includes(policy))
      .map(({ pod }) => pod.metadata?.namespace ?? ""),
  );
  const names = [...open].sort();
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
  return {
    check: "inbound policies of the pods",
    result: "ok",
    note:
      names.length === 0
        ? "none lets in clients without TLS by default"
        : `clients without TLS are let in by default in ${names.slice(0, NAMED).join(", ")}${more}`,
  };
}
