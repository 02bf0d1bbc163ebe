import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { UserError } from "../shared/errors";
import { PROJECT_NAME } from "../shared/stack";
import type { Target } from "./target";

/** A stack's state as a `file://` backend keeps it, as far as it matters here. */
interface StateFile {
  readonly checkpoint?: { readonly latest?: { readonly resources?: readonly unknown[] } };
}

/**
 * Refuses a second stack before the API server would, field by field: both would own Linkerd's namespaces and what is
 * cluster-wide.
 *
 * @throws UserError when another stack is deployed to the target.
 */
export async function refuseSecondStack(
  { paths, option }: Pick<Target, "paths" | "option">,
  stack: string,
): Promise<void> {
  const folder = join(paths.state, ".pulumi", "stacks", PROJECT_NAME);
  const files = existsSync(folder) ? await readdir(folder) : [];
  for (const file of files.filter((name) => name.endsWith(".json") && name !== `${stack}.json`)) {
    const { checkpoint } = JSON.parse(await readFile(join(folder, file), "utf8")) as StateFile;
    if ((checkpoint?.latest?.resources ?? []).length === 0) continue;
    const other = basename(file, ".json");
    throw new UserError(
      `stack ${other} is deployed here, and a cluster takes one stack, but this is ${stack}`,
      option.startsWith(" --context")
        ? `npm run down -- --stack ${other}${option}`
        : `npm run up -- --stack ${stack} --name ${stack} deploys it to a sandbox of its own`,
    );
  }
}
