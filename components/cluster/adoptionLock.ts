import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

import { isKept } from "./adoption";
import type { ClusterAccess } from "./client";

/**
 * What `pulumi destroy` comes to first in a stack that has taken a mesh over, so that it ends before anything is deleted:
 * it is protected as that is. Pulumi deletes what nothing depends on first, and finds out only on its way what is protected:
 * let it depend on all that the stack has.
 */
export function adoptionLock(
  name: string,
  cluster: ClusterAccess,
  dependsOn: readonly pulumi.Resource[],
): random.RandomId | undefined {
  return (
    cluster.adopt &&
    new random.RandomId(name, { byteLength: 4 }, { dependsOn: [...dependsOn], protect: isKept(cluster) })
  );
}
