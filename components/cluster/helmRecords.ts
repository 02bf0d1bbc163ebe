import { gunzipSync, gzipSync } from "node:zlib";

import type { V1Secret } from "@kubernetes/client-node";

import { ClusterAccess, connect, METADATA_ONLY } from "./client";
import { isSameStack } from "./stackMark";

/** How long the API server may take for each answer about Helm's records. */
const TIMEOUT_MS = 30_000;

/** A Secret in which Helm keeps a revision of a release. */
export interface HelmRecord {
  readonly name: string;
  /** Helm's status, e.g. `deployed` or `pending-install`. */
  readonly status: string;
}

/** Which release. */
export interface ReleaseLocation {
  readonly cluster: ClusterAccess;
  readonly release: string;
  readonly namespace: string;
}

/** The records of a release. `selector`: of some, begins with a comma. */
export async function listRecords(
  { cluster, release, namespace }: ReleaseLocation,
  selector = "",
): Promise<HelmRecord[]> {
  const core = await connect(cluster, ({ CoreV1Api }) => CoreV1Api, TIMEOUT_MS, METADATA_ONLY);
  const labelSelector = `owner=helm,name=${release}${selector}`;
  // Null where there is none: the API server writes an empty list of metadata so.
  const { items } = (await core.listNamespacedSecret({ namespace, labelSelector })) as {
    items: V1Secret[] | null;
  };
  return (items ?? []).map(({ metadata }) => ({
    name: metadata?.name ?? "",
    status: metadata?.labels?.status ?? "",
  }));
}

/** Whether one of the records has a description that ends with the same mark as this one. An upgrade by hand writes one without it. */
export async function isMarked(
  { cluster, namespace }: ReleaseLocation,
  records: readonly HelmRecord[],
  description: string,
): Promise<boolean> {
  const core = await connect(cluster, ({ CoreV1Api }) => CoreV1Api, TIMEOUT_MS);
  for (const { name } of records) {
    const { data } = await core.readNamespacedSecret({ namespace, name });
    if (isSameStack(descriptionOf(data?.release ?? "") ?? "", description)) {
      return true;
    }
  }
  return false;
}

/** The description in a record. */
function descriptionOf(release: string): string | undefined {
  return (decodeRecord(release) as { info?: { description?: string } }).info?.description;
}

/** What Helm keeps in a record, from the Secret's data `release`: gzipped JSON in base64, and that in a Secret's base64. */
export function decodeRecord(release: string): unknown {
  const compressed = Buffer.from(Buffer.from(release, "base64").toString(), "base64");
  return JSON.parse(gunzipSync(compressed).toString());
}

/** The data `release` of a Secret from what Helm keeps in it: the inverse of {@link decodeRecord}. */
export function encodeRecord(content: unknown): string {
  const compressed = gzipSync(JSON.stringify(content)).toString("base64");
  return Buffer.from(compressed).toString("base64");
}
