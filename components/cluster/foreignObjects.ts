import type { CoreV1Api } from "@kubernetes/client-node";
import * as pulumi from "@pulumi/pulumi";

import { isAdopted } from "./adoption";
import { ClusterAccess, connect, describeError, METADATA_ONLY } from "./client";
import { describeOwner, helmReleaseOf, isOfCli, ObjectMetadata } from "./ownership";
import { listRecords, type ReleaseLocation } from "./helmRecords";
import { isSameStack, releaseAnnotation, STACK_ANNOTATION, stackName } from "./stackMark";
import { settled } from "./settled";

/** A part of what a deployment makes, with the names that it needs for itself. */
export interface Claim {
  /** The part, for an error: `cert-manager`. */
  readonly part: string;
  /** Namespaces to create. */
  readonly namespaces?: readonly string[];
  /** A namespace that exists, and that this stack must not have made: it would delete it. */
  readonly existing?: string;
  /** Helm releases to install, whose objects are known by them. */
  readonly releases?: readonly string[];
  /** Namespace of others in which they are installed. Default: the first of the namespaces that are created. */
  readonly place?: string;
  /** API groups that the releases define. */
  readonly groups?: readonly string[];
  /** Webhook configurations of the releases. */
  readonly webhooks?: readonly string[];
  /** Admission policies, and their bindings. */
  readonly policies?: readonly string[];
  /** What to do where others made it, one line each. */
  readonly remedies: readonly string[];
}

/** An object that exists. */
interface LiveObject {
  readonly kind: string;
  readonly metadata: ObjectMetadata;
}

/** What exists of a claim, and is not this stack's. */
interface Conflict {
  readonly claim: Claim;
  readonly objects: readonly LiveObject[];
}

/** A preview does not wait longer. */
const TIMEOUT_MS = 10_000;

/** Cluster-scoped kinds that are looked through: group, version, plural, and the kind. */
const KINDS = [
  ["apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition"],
  ["admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration"],
  ["admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration"],
  ["admissionregistration.k8s.io", "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy"],
  [
    "admissionregistration.k8s.io",
    "v1",
    "validatingadmissionpolicybindings",
    "ValidatingAdmissionPolicyBinding",
  ],
] as const;

/**
 * Refuses what exists in the cluster and would be made by this deployment although this stack did not make it: all of it
 * together. Await it before the first resource, in a preview too. Where the cluster does not answer it warns: what is
 * about to be created is looked up once more by a hook of its own.
 *
 * @throws RunError that names each object, who seems to own it, and what to do.
 */
export async function checkForeignObjects(claims: readonly Claim[], cluster: ClusterAccess): Promise<void> {
  // Not known in the first preview; then nothing in the cluster is this stack's.
  const mark = await settled(cluster.mark ?? stackName());
  const core = await connect(cluster, ({ CoreV1Api }) => CoreV1Api, TIMEOUT_MS, METADATA_ONLY).catch(
    () => undefined,
  );
  if (core === undefined) {
    // It is the Kubernetes provider's to report that there is no cluster.
    return;
  }
  let live: readonly LiveObject[];
  try {
    live = await liveObjects(core, cluster, claims, mark);
  } catch (error) {
    const { message } = describeError(error);
    await pulumi.log.warn(
      `the cluster was not searched for what others have made and this stack would make: ${message}\n` +
        "    the deploying user must be allowed to list namespaces, custom resource definitions, webhook " +
        "configurations and admission policies",
    );
    return;
  }
  refuseGivenAway(claims, live, mark);
  const isOwn = ownership(claims, live, mark);
  const others = claims
    .map((claim) => ({ claim, objects: live.filter((object) => isClaimed(object, claim) && !isOwn(object)) }))
    .filter(({ objects }) => objects.length > 0);
  const conflicts = others
    .map(({ claim, objects }) => ({
      claim,
      objects: objects.filter((object) => !isTakenOver(object, claim, cluster)),
    }))
    .filter(({ objects }) => objects.length > 0);
  if (conflicts.length > 0) {
    throw new pulumi.RunError(describeConflicts(conflicts, mark));
  }
  if (others.length > 0) {
    await pulumi.log.info(describeTakeover(others, mark));
  }
}

/**
 * Whether an object may be taken over: by itself, with its Helm release, or, where Linkerd's command-line tool has made
 * it, with the releases that its part is to be. What another stack made may not.
 */
function isTakenOver({ kind, metadata }: LiveObject, claim: Claim, cluster: ClusterAccess): boolean {
  if (metadata.annotations?.[STACK_ANNOTATION] !== undefined) {
    return false;
  }
  if (kind === "Namespace") {
    return isAdopted(cluster, kind, metadata.name ?? "");
  }
  const [namespace, release] = helmReleaseOf(metadata)?.split("/") ?? [];
  if (release !== undefined) {
    return isAdopted(cluster, "HelmRelease", release, namespace);
  }
  const { releases = [] } = claim;
  return (
    (isOfCli(metadata) || metadata.labels?.[CONTROL_PLANE_LABEL] !== undefined) &&
    releases.length > 0 &&
    releases.every((name) => isAdopted(cluster, "HelmRelease", name, placeOf(claim)))
  );
}

/** Label of what is Linkerd's; webhook configurations of its command-line tool have no annotation of the tool. */
const CONTROL_PLANE_LABEL = "linkerd.io/control-plane-ns";

function describeTakeover(conflicts: readonly Conflict[], mark: string | undefined): string {
  return [
    "this deployment takes over what others have made, as adopt says:",
    ...conflicts.flatMap(({ objects }) => describeObjects(objects, mark)),
    "a Deployment of Linkerd whose template differs is rolled out once; no pod of others is restarted",
  ].join("\n");
}

async function liveObjects(
  core: CoreV1Api,
  cluster: ClusterAccess,
  claims: readonly Claim[],
  mark: string | undefined,
): Promise<LiveObject[]> {
  const custom = await connect(
    cluster,
    ({ CustomObjectsApi }) => CustomObjectsApi,
    TIMEOUT_MS,
    METADATA_ONLY,
  );
  const lists = await Promise.all([
    core.listNamespace().then(({ items }) => withKind("Namespace", items)),
    ...KINDS.map(async ([group, version, plural, kind]) => {
      const list: unknown = await custom.listClusterCustomObject({ group, version, plural });
      return withKind(kind, (list as { items: Items }).items);
    }),
  ]);
  const live = lists.flat();
  const placed = claims.flatMap(({ place, releases = [] }) =>
    place === undefined ? [] : releases.map((release) => ({ cluster, namespace: place, release })),
  );
  const others = placed.filter(({ namespace, release }) => !isPlaced(live, namespace, release, mark));
  return [...live, ...(await Promise.all(others.map(liveRelease))).flat()];
}

/** A Helm release that others have in their namespace, deployed or not. */
async function liveRelease(where: ReleaseLocation): Promise<LiveObject[]> {
  const { namespace, release } = where;
  const annotations = {
    "meta.helm.sh/release-namespace": namespace,
    "meta.helm.sh/release-name": release,
  };
  return (await listRecords(where)).length === 0
    ? []
    : [{ kind: "HelmRelease", metadata: { name: `${namespace}/${release}`, annotations } }];
}

/** Null where there is none: the API server writes an empty list of metadata so. */
type Items = readonly { readonly metadata?: ObjectMetadata }[] | null;

function withKind(kind: string, items: Items): LiveObject[] {
  return (items ?? []).map(({ metadata = {} }) => ({ kind, metadata }));
}

/** Refuses to let go of a namespace that this stack made: Pulumi would delete it, with all that is in it. */
function refuseGivenAway(
  claims: readonly Claim[],
  live: readonly LiveObject[],
  mark: string | undefined,
): void {
  const problems = claims.filter(({ existing }) =>
    live.some(
      (object) => object.kind === "Namespace" && object.metadata.name === existing && isMarked(object, mark),
    ),
  );
  if (problems.length > 0) {
    throw new pulumi.RunError(
      problems
        .map(({ part, remedies }) =>
          [
            `existing must be false for ${part}: this stack made it, and would delete it with all that is in it; nothing was changed`,
            ...remedies.map((remedy) => `    ${remedy}`),
          ].join("\n"),
        )
        .join("\n"),
    );
  }
}

function isMarked({ metadata }: LiveObject, mark: string | undefined): boolean {
  return isStack(metadata.annotations?.[STACK_ANNOTATION], mark);
}

function isStack(found: string | undefined, mark: string | undefined): boolean {
  return mark !== undefined && isSameStack(found ?? "", mark);
}

/** Where the releases of a claim are installed. */
function placeOf({ place, namespaces: [first] = [] }: Claim): string | undefined {
  return place ?? first;
}

/** Whether this stack has made the namespace, or said on it that it installs the release there. */
function isPlaced(
  live: readonly LiveObject[],
  namespace: string | undefined,
  release: string,
  mark: string | undefined,
): boolean {
  return live.some(
    ({ kind, metadata }) =>
      kind === "Namespace" &&
      metadata.name === namespace &&
      [STACK_ANNOTATION, releaseAnnotation(release)].some((annotation) =>
        isStack(metadata.annotations?.[annotation], mark),
      ),
  );
}

/** Objects of a release are this stack's where the release is; others have its mark. */
function ownership(
  claims: readonly Claim[],
  live: readonly LiveObject[],
  mark: string | undefined,
): (object: LiveObject) => boolean {
  const releases = claims.flatMap((claim) => {
    const place = placeOf(claim);
    const own = (claim.releases ?? []).filter((release) => isPlaced(live, place, release, mark));
    return own.map((release) => `${place ?? ""}/${release}`);
  });
  return (object) => isMarked(object, mark) || releases.includes(helmReleaseOf(object.metadata) ?? "");
}

function isClaimed({ kind, metadata: { name = "" } }: LiveObject, claim: Claim): boolean {
  const { namespaces = [], groups = [], webhooks = [], policies = [], releases = [], place } = claim;
  switch (kind) {
    case "Namespace":
      return namespaces.includes(name);
    case "CustomResourceDefinition":
      return groups.includes(name.slice(name.indexOf(".") + 1));
    case "MutatingWebhookConfiguration":
    case "ValidatingWebhookConfiguration":
      return webhooks.includes(name);
    case "HelmRelease":
      return releases.some((release) => name === `${place ?? ""}/${release}`);
    default:
      return policies.includes(name);
  }
}

function describeConflicts(conflicts: readonly Conflict[], mark: string | undefined): string {
  return [
    `the cluster has what this stack would make, and this stack (${stackName()}) did not make it; nothing was changed`,
    ...conflicts.map(({ claim: { part, remedies }, objects }) =>
      [`${part}:`, ...describeObjects(objects, mark), ...remedies.map((remedy) => `  ${remedy}`)].join("\n"),
    ),
  ].join("\n\n");
}

/** One line for all objects of a kind that have the same owner. */
function describeObjects(objects: readonly LiveObject[], mark: string | undefined): string[] {
  const lines = new Map<string, LiveObject[]>();
  for (const object of objects) {
    const key = `${object.kind} ${describeOwner(object.metadata, mark)}`;
    lines.set(key, [...(lines.get(key) ?? []), object]);
  }
  return [...lines.values()].map(([first, ...rest]) => {
    const { kind, metadata } = first ?? { kind: "", metadata: {} };
    const more = rest.length === 0 ? "" : ` and ${rest.length} more`;
    return `  ${kind} ${metadata.name ?? ""}${more}: ${describeOwner(metadata, mark)}`;
  });
}
