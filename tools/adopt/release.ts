import type { Stack } from "@pulumi/pulumi/automation";

import { type ClusterAccess, connect } from "../../components/cluster/client";
import { RESOURCE_ANNOTATION } from "../../components/cluster/ownership";
import { isSameStack, STACK_ANNOTATION } from "../../components/cluster/stackMark";
import { unlessAbsent } from "../../components/controlPlane/deployedMesh";
import { GUARD_NAMES, GUARDED_LABEL } from "../../components/injection/meshGuard";
import { UserError } from "../shared/errors";
import { emptyState, PROJECT_NAME, stateOf } from "../shared/stack";

/** How long the API server may take for each answer, in milliseconds. */
const TIMEOUT_MS = 30_000;

/** As far as it matters here. */
interface StateResource {
  readonly type: string;
  readonly urn: string;
  readonly outputs?: { readonly hex?: string };
}

/** What a stack lets go of. */
export interface Released {
  /** The guard's policies, which are deleted: nobody would look after them. */
  readonly guard: readonly string[];
  /** Namespaces that lose the stack's mark. */
  readonly namespaces: readonly string[];
  /** Number of resources that the state forgets. */
  readonly resources: number;
}

/**
 * Gives back what a stack has taken over: the objects stay as they are, and the state forgets them. Can be repeated after an
 * interruption at any moment.
 *
 * @param planOnly Whether nothing is changed.
 */
export async function release(stack: Stack, access: ClusterAccess, planOnly: boolean): Promise<Released> {
  const { resources, wasKilled } = await stateOf<StateResource>(stack);
  if (wasKilled) {
    throw new UserError(
      "an operation on this stack was killed, so its state does not say all that it has made",
      "pulumi up, which goes on with it; then repeat this command",
    );
  }
  const id = resources.find(({ urn }) => urn.endsWith("::stack-mark"))?.outputs?.hex;
  const guard = id === undefined ? [] : await ownGuard(access, id);
  const namespaces = id === undefined ? [] : await ownNamespaces(access, id);
  if (!planOnly) {
    await deleteGuard(access, guard);
    await unmark(access, namespaces);
    await emptyState(stack);
  }
  return { guard, namespaces, resources: resources.length };
}

/** Names of the guard's bindings and policies that have the stack's mark. */
async function ownGuard(access: ClusterAccess, id: string): Promise<string[]> {
  const api = await connect(access, (k8s) => k8s.AdmissionregistrationV1Api, TIMEOUT_MS);
  const policies = await Promise.all(
    GUARD_NAMES.map(async (name) => {
      const [binding, policy] = await Promise.all([
        unlessAbsent(api.readValidatingAdmissionPolicyBinding({ name })),
        unlessAbsent(api.readValidatingAdmissionPolicy({ name })),
      ]);
      return [binding, policy].some((object) => isMarked(object?.metadata, id)) ? [name] : [];
    }),
  );
  return policies.flat();
}

async function ownNamespaces(access: ClusterAccess, id: string): Promise<string[]> {
  const core = await connect(access, (k8s) => k8s.CoreV1Api, TIMEOUT_MS);
  const { items } = await core.listNamespace();
  return items
    .filter(({ metadata }) => isMarked(metadata, id) || metadata?.labels?.[GUARDED_LABEL] !== undefined)
    .flatMap(({ metadata }) => metadata?.name ?? []);
}

function isMarked(
  metadata: { readonly annotations?: Readonly<Record<string, string>> } | undefined,
  id: string,
): boolean {
  return isSameStack(metadata?.annotations?.[STACK_ANNOTATION] ?? "", id);
}

async function deleteGuard(access: ClusterAccess, names: readonly string[]): Promise<void> {
  const api = await connect(access, (k8s) => k8s.AdmissionregistrationV1Api, TIMEOUT_MS);
  // Without a binding a policy refuses nothing.
  for (const name of names) await unlessAbsent(api.deleteValidatingAdmissionPolicyBinding({ name }));
  for (const name of names) await unlessAbsent(api.deleteValidatingAdmissionPolicy({ name }));
}

async function unmark(access: ClusterAccess, names: readonly string[]): Promise<void> {
  const objects = await connect(access, (k8s) => k8s.KubernetesObjectApi, TIMEOUT_MS);
  const { PatchStrategy } = await import("@kubernetes/client-node");
  for (const name of names) {
    const metadata = {
      name,
      annotations: { [STACK_ANNOTATION]: null, [RESOURCE_ANNOTATION]: null },
      labels: { [GUARDED_LABEL]: null },
    };
    // Null removes it, which the type does not know.
    const body = { apiVersion: "v1", kind: "Namespace", metadata: metadata as object as { name: string } };
    await objects.patch(body, undefined, undefined, undefined, undefined, PatchStrategy.MergePatch);
  }
}

/** What was let go of, in lines. */
export function describeReleased(
  { guard, namespaces, resources }: Released,
  stack: string,
  planOnly: boolean,
): string[] {
  const done = planOnly ? "would be" : "is";
  return [
    `The guard ${done} deleted: ${guard.join(", ") || "there is none"}`,
    `The mark of stack ${stack} ${done} removed from ${namespaces.map((name) => `namespace ${name}`).join(", ") || "nothing"}`,
    `The state ${done} emptied: ${resources} resources. All other objects stay as they are, and Helm's records with them.`,
    `The key ${PROJECT_NAME}:adopt ${done} removed from the configuration: npm run adopt writes it again.`,
  ];
}
