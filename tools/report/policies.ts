import { isLive, proxyOf } from "../../components/cluster/meshedPods";
import type { Networks, PolicyObject, PolicyObjects, Reference } from "../verify/policyObjects";
import { selects } from "../verify/selectors";
import type { Snapshot } from "../verify/snapshot";

/** A port that has a policy of its own. */
export interface ServerRow {
  /** Namespace and name. */
  readonly server: string;
  readonly port: string;
  /** Meshed pods that it selects. */
  readonly pods: number;
  /** Who may connect; one line for each policy. */
  readonly clients: readonly string[];
}

/** A policy for more than one port. */
export interface WiderPolicyRow {
  readonly policy: string;
  readonly target: string;
  readonly clients: string;
}

/** Linkerd's policies for people. */
export interface Policies {
  readonly servers: readonly ServerRow[];
  readonly wider: readonly WiderPolicyRow[];
}

/** What policies mean for the pods that there are. */
export function policiesOf(objects: PolicyObjects, { pods }: Snapshot): Policies {
  const meshed = pods.filter((pod) => isLive(pod) && proxyOf(pod) !== undefined);
  const policies = objects.authorizationpolicies.map(({ metadata, spec }) => ({
    ...metadata,
    target: spec.targetRef,
    clients: (spec.requiredAuthenticationRefs ?? [])
      .map((reference) => clientsOf(reference, metadata.namespace, objects))
      .join(" and "),
  }));
  const servers = objects.servers.map(({ metadata: { namespace, name }, spec }): ServerRow => ({
    server: `${namespace}/${name}`,
    port: `${spec.port}${spec.proxyProtocol === undefined ? "" : `, ${spec.proxyProtocol}`}`,
    pods: meshed.filter(
      ({ metadata }) => metadata?.namespace === namespace && selects(spec.podSelector, metadata.labels),
    ).length,
    clients: [
      ...policies
        .filter((each) => each.namespace === namespace && isServer(each.target) && each.target.name === name)
        .map(({ clients }) => clients || "everybody"),
      ...objects.serverauthorizations
        .filter((each) => each.metadata.namespace === namespace && each.spec.server.name === name)
        .map(({ spec: { client } }) => authorized(client)),
    ],
  }));
  const wider = policies
    .filter(({ target }) => !isServer(target))
    .map(({ namespace, name, target, clients }) => ({
      policy: `${namespace}/${name}`,
      target: `${target.kind} ${target.name}`,
      clients: clients || "everybody",
    }));
  return { servers: servers.sort((one, other) => one.server.localeCompare(other.server)), wider };
}

function isServer({ kind }: Reference): boolean {
  return kind === "Server";
}

/** Whom an authentication knows. */
function clientsOf({ kind, name, namespace }: Reference, home: string, objects: PolicyObjects): string {
  const where = namespace ?? home;
  const find = <Spec>(all: readonly PolicyObject<Spec>[]): Spec | undefined =>
    all.find(({ metadata }) => metadata.name === name && metadata.namespace === where)?.spec;
  if (kind === "ServiceAccount") return `ServiceAccount ${where}/${name}`;
  const networks = kind === "NetworkAuthentication" ? find(objects.networkauthentications) : undefined;
  if (networks !== undefined) return networksOf(networks);
  const identities = kind === "MeshTLSAuthentication" ? find(objects.meshtlsauthentications) : undefined;
  if (identities === undefined) return `${kind} ${where}/${name}, which is not there`;
  return [
    ...(identities.identities ?? []),
    ...(identities.identityRefs ?? []).map((reference) =>
      reference.kind === "Namespace"
        ? `namespace ${reference.name}`
        : `${reference.kind} ${reference.namespace ?? where}/${reference.name}`,
    ),
  ].join(", ");
}

function authorized({
  unauthenticated = false,
  meshTLS,
  networks,
}: PolicyObjects["serverauthorizations"][number]["spec"]["client"]): string {
  const who = unauthenticated
    ? "everybody"
    : meshTLS?.unauthenticatedTLS === true
      ? "every TLS client"
      : (meshTLS?.identities ?? []).join(", ") || "meshed clients";
  return networks == null ? who : `${who} from ${networksOf({ networks })}`;
}

function networksOf({ networks }: Networks): string {
  return `networks ${(networks ?? []).map(({ cidr }) => cidr).join(", ")}`;
}
