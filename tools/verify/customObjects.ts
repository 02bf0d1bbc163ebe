import type { CustomObjectsApi } from "@kubernetes/client-node";

import { describeError } from "../../components/cluster/client";

/**
 * All objects of a kind, in the first of these versions that the cluster has; none where it has no such kind.
 *
 * @throws what the client throws otherwise.
 */
export async function listObjects(
  api: CustomObjectsApi,
  group: string,
  plural: string,
  [version, ...others]: readonly string[],
): Promise<unknown[]> {
  if (version === undefined) return [];
  try {
    // The client knows nothing of the kind.
    const answer: unknown = await api.listClusterCustomObject({ group, version, plural });
    return (answer as { readonly items: unknown[] }).items;
  } catch (error) {
    if (describeError(error).status !== 404) throw error;
    return listObjects(api, group, plural, others);
  }
}
