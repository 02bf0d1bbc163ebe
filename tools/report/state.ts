import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import type { Dependent } from "../sandbox/criticalPath";
import { messageOf, UserError } from "../shared/errors";
import { contextPaths, sandboxPaths } from "../shared/paths";
import { PROJECT_NAME } from "../shared/stack";
import type { ClusterOptions } from "../verify/clusterOptions";

/** A stack's state: as `pulumi stack export` writes it, or as a `file://` backend keeps it. */
interface StateFile {
  readonly deployment?: Resources;
  readonly checkpoint?: { readonly latest?: Resources | null };
}

interface Resources {
  readonly resources?: readonly Dependent[];
}

/**
 * Resources of the stack that is deployed to a cluster; undefined where no stack is known. Of each resource only its name and
 * order are used.
 *
 * @param file Of `pulumi stack export`. Default: what `npm run up` has left in this checkout for the cluster.
 * @throws UserError where the file cannot be read, or is no state.
 */
export async function readState(
  options: ClusterOptions,
  file: string | undefined,
): Promise<readonly Dependent[] | undefined> {
  const [resources] = await Promise.all((file === undefined ? await ownFiles(options) : [file]).map(read));
  return resources;
}

/** States of this checkout; a cluster takes one stack. */
async function ownFiles({ kubeconfig, context, name }: ClusterOptions): Promise<string[]> {
  if (kubeconfig !== undefined) return [];
  const { state } = context === undefined ? sandboxPaths(name) : contextPaths(context);
  const folder = join(state, ".pulumi", "stacks", PROJECT_NAME);
  const files = existsSync(folder) ? await readdir(folder) : [];
  return files.filter((each) => each.endsWith(".json")).map((each) => join(folder, each));
}

async function read(file: string): Promise<readonly Dependent[]> {
  const remedy = "pulumi stack export --stack STACK --file FILE";
  try {
    const { deployment, checkpoint } = JSON.parse(await readFile(file, "utf8")) as StateFile;
    if (deployment !== undefined || checkpoint !== undefined) {
      return deployment?.resources ?? checkpoint?.latest?.resources ?? [];
    }
  } catch (error) {
    throw new UserError(`the state cannot be read: ${messageOf(error)}`, remedy, { cause: error });
  }
  throw new UserError(`${file} is not the state of a stack`, remedy);
}
