import type { V1ObjectMeta } from "@kubernetes/client-node";

import { ClusterAccess, connect, describeError } from "./client";

/** An object that a controller works on. */
export interface ControlledObject {
  /** Group and version, e.g. `cert-manager.io/v1`. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Absent where objects of the kind have none. */
  readonly namespace?: string;
}

/** What was seen of an object. */
export interface ObjectState {
  readonly ready: boolean;
  /** The object and its conditions, on one line. */
  readonly description: string;
  /** The object that it is issued by, where it has a reference to one of the same API group. */
  readonly issuer?: ControlledObject;
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly observedGeneration?: number;
}

interface LiveObject {
  readonly metadata?: { readonly generation?: number };
  readonly spec?: {
    readonly issuerRef?: { readonly name: string; readonly kind?: string; readonly group?: string };
  };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

/**
 * Reads an object once, within `timeoutMs`. It is ready when the condition is True for the generation that it has now, and
 * nothing is being issued for it. Does not throw.
 */
export async function objectState(
  access: ClusterAccess,
  object: ControlledObject,
  condition: string,
  timeoutMs: number,
): Promise<ObjectState> {
  const what = describeObject(object);
  let live: LiveObject;
  try {
    live = (await read(access, object, timeoutMs)) as LiveObject;
  } catch (error) {
    const { status, message } = describeError(error);
    return { ready: false, description: `${what}: ${status === 404 ? "not found" : message}` };
  }
  const { generation = 0 } = live.metadata ?? {};
  const conditions = live.status?.conditions ?? [];
  const stale = ({ observedGeneration = generation }: Condition): boolean => observedGeneration < generation;
  const isTrue = (type: string): boolean =>
    conditions.some((candidate) => candidate.type === type && candidate.status === "True");
  return {
    ready:
      isTrue(condition) &&
      !isTrue("Issuing") &&
      !conditions.some((candidate) => candidate.type === condition && stale(candidate)),
    description:
      conditions.length === 0
        ? `${what}: no conditions, so its controller does not run or has not seen it yet`
        : `${what}: ${conditions.map((each) => describeCondition(each, stale(each))).join("; ")}`,
    issuer: issuerOf(object, live),
  };
}

/** The metadata of an object, of any kind; throws what the client throws. */
export async function readObject(
  access: ClusterAccess,
  object: ControlledObject,
  timeoutMs: number,
): Promise<Readonly<V1ObjectMeta>> {
  if (object.apiVersion === "v1" && object.kind === "Namespace") {
    const core = await connect(access, ({ CoreV1Api }) => CoreV1Api, timeoutMs);
    return (await core.readNamespace({ name: object.name })).metadata ?? {};
  }
  const { metadata = {} } = (await read(access, object, timeoutMs)) as { metadata?: V1ObjectMeta };
  return metadata;
}

async function read(access: ClusterAccess, object: ControlledObject, timeoutMs: number): Promise<unknown> {
  const api = await connect(access, ({ CustomObjectsApi }) => CustomObjectsApi, timeoutMs);
  const { name, namespace } = object;
  const where = { ...resourceOf(object), name };
  // Their answers are typed `any`: the client knows nothing of the kind.
  const answer: unknown =
    namespace === undefined
      ? await api.getClusterCustomObject(where)
      : await api.getNamespacedCustomObject({ ...where, namespace });
  return answer;
}

/** Where the API server has objects of a kind. */
export function resourceOf({ apiVersion, kind }: Pick<ControlledObject, "apiVersion" | "kind">): {
  group: string;
  version: string;
  plural: string;
} {
  const [group = "", version = ""] = apiVersion.split("/");
  return { group, version, plural: `${kind.toLowerCase()}s`.replace(/ys$/, "ies") };
}

function describeObject({ kind, name, namespace }: ControlledObject): string {
  return `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}

function describeCondition({ type, status, reason, message }: Condition, stale: boolean): string {
  return [
    `${type}=${status}`,
    ...(reason === undefined ? [] : [` (${reason})`]),
    ...(message === undefined ? [] : [`: ${message}`]),
    ...(stale ? [" (before the last change)"] : []),
  ].join("");
}

function issuerOf(
  { apiVersion, namespace }: ControlledObject,
  live: LiveObject,
): ControlledObject | undefined {
  const { issuerRef } = live.spec ?? {};
  const group = apiVersion.split("/", 1).join();
  if (issuerRef === undefined || (issuerRef.group ?? group) !== group) {
    return undefined;
  }
  const { name, kind = "Issuer" } = issuerRef;
  return { apiVersion, kind, name, ...(kind === "Issuer" && { namespace }) };
}
