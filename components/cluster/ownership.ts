import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { type AdoptedKind, isAdopted, isKept } from "./adoption";
import { ClusterAccess, describeError } from "./client";
import { clusterHook } from "./hook";
import { readObject } from "./objectState";
import { isSameStack, STACK_ANNOTATION, stackName } from "./stackMark";

/** What an object says of who made it. */
export interface ObjectMetadata {
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly managedFields?: readonly { readonly manager?: string }[];
}

/** How long the API server may take to tell who made an object. */
const TIMEOUT_MS = 30_000;

/** Annotations with the mark of this stack. */
export function marked(
  { mark }: ClusterAccess,
  annotations: Readonly<Record<string, string>> = {},
): Record<string, pulumi.Input<string>> {
  return { ...annotations, [STACK_ANNOTATION]: mark ?? stackName() };
}

/** Metadata of a namespace, with its name. */
interface NamespaceMetadata extends k8s.types.input.meta.v1.ObjectMeta {
  readonly name: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * A namespace of this stack. One that exists, and that this stack did not make, is an error, unless it may take it over:
 * it then sets only what it needs, and leaves the namespace when it goes.
 */
export function ownNamespace(
  name: string,
  metadata: NamespaceMetadata,
  cluster: ClusterAccess,
  opts: Omit<pulumi.CustomResourceOptions, "hooks">,
): { readonly metadata: pulumi.Output<{ readonly name: string }> } {
  const annotations = { ...marked(cluster, metadata.annotations), [RESOURCE_ANNOTATION]: name };
  const hooks = { beforeCreate: [unlessForeign(name, cluster)] };
  return isAdopted(cluster, "Namespace", metadata.name)
    ? new k8s.core.v1.NamespacePatch(
        name,
        { metadata: { ...metadata, annotations: { ...annotations, ...FORCE } } },
        { ...opts, protect: isKept(cluster), hooks },
      )
    : new k8s.core.v1.Namespace(name, { metadata: { ...metadata, annotations } }, { ...opts, hooks });
}

/** Annotation of a namespace with the name of the resource that makes it. */
export const RESOURCE_ANNOTATION = "linkerd-mtls/resource";

/** Takes fields over from their managers, instead of reporting a conflict. */
const FORCE = { "pulumi.com/patchForce": "true" };

/**
 * A hook for the creation of a cluster-scoped object with the mark of this stack. It refuses one that exists without it:
 * Pulumi's provider would take it over, and delete it with the stack. What this stack may take over must not be another
 * stack's. It also refuses a namespace that another resource of this stack has made, which Pulumi would delete after it.
 */
export function unlessForeign(name: string, cluster: ClusterAccess): pulumi.ResourceHook {
  return clusterHook<{ apiVersion: string; kind: string; metadata: ObjectMetadata }>(
    `${name}-foreign`,
    async ({ newInputs: { apiVersion, kind, metadata } }) => {
      const { name: object = "" } = metadata;
      let live: ObjectMetadata | undefined;
      try {
        live = await readObject(cluster, { apiVersion, kind, name: object }, TIMEOUT_MS);
      } catch (error) {
        const { status, message } = describeError(error);
        if (status === 404) {
          return;
        }
        throw new Error(`${kind} ${object} cannot be looked up: ${message}`, { cause: error });
      }
      const stack = live.annotations?.[STACK_ANNOTATION];
      // A kind that cannot be taken over is in no list of what may be.
      if (stack === undefined && isAdopted(cluster, kind as AdoptedKind, object)) {
        return;
      }
      const mark = metadata.annotations?.[STACK_ANNOTATION] ?? "";
      if (!isSameStack(stack ?? "", mark)) {
        throw new Error(
          `${kind} ${object} exists already, and this stack did not make it: ${describeOwner(live, mark)}\n` +
            "  it is left as it is: use another name, or delete it first if nobody needs it",
        );
      }
      const made = live.annotations?.[RESOURCE_ANNOTATION];
      if (made !== undefined && made !== metadata.annotations?.[RESOURCE_ANNOTATION]) {
        throw new Error(
          `${kind} ${object} exists already, made by this stack as its resource ${made}: Pulumi would delete that next, with all that is in it\n` +
            `  keep the resource with an alias, or take ${object} out of the configuration in an \`up\` of its own first, which deletes it`,
        );
      }
    },
  );
}

/** Helm's name for a release, `namespace/name`, that an object belongs to. */
export function helmReleaseOf({ annotations = {} }: ObjectMetadata): string | undefined {
  const { "meta.helm.sh/release-namespace": namespace, "meta.helm.sh/release-name": name } = annotations;
  return name === undefined ? undefined : `${namespace ?? "?"}/${name}`;
}

/** Whether Linkerd's command-line tool has made an object. */
export function isOfCli({ annotations = {} }: ObjectMetadata): boolean {
  return annotations[CREATED_BY]?.startsWith("linkerd/cli") === true;
}

/** Annotation of what Linkerd's charts render, also for its command-line tool. */
const CREATED_BY = "linkerd.io/created-by";

/** Who seems to have made an object, in words. `mark`: of this stack. */
export function describeOwner(metadata: ObjectMetadata, mark?: string): string {
  const { labels = {}, annotations = {}, managedFields = [] } = metadata;
  const stack = annotations[STACK_ANNOTATION];
  if (stack !== undefined) {
    const [name, own] = [stack, mark ?? stackName()].map((text) => text.split(" ", 1).join());
    return name === own
      ? `made by a stack ${stack} with another state than this one's: it was lost, or is in another backend`
      : `made by stack ${name}`;
  }
  const release = helmReleaseOf(metadata);
  if (release !== undefined) {
    return `belongs to Helm release ${release}`;
  }
  const tool = annotations[CREATED_BY] ?? labels["app.kubernetes.io/managed-by"];
  const managers = [...new Set(managedFields.map(({ manager }) => manager))].filter(
    (manager) => manager !== undefined && !SYSTEM_MANAGERS.test(manager),
  );
  const found = [
    ...(tool === undefined ? [] : [`made by ${tool}`]),
    ...(managers.length === 0 ? [] : [`written by ${managers.join(", ")}`]),
  ];
  return found.join(", ") || "nothing tells who made it";
}

/** Field managers that write to objects of others. */
const SYSTEM_MANAGERS = /^kube-|cainjector|controller|-status$/;
