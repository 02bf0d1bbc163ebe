import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../shared/errors";
import { PROJECT } from "../../shared/paths";
import { configuration } from "../applications";
import { type Finished, runChild } from "../child";
import { SANDBOX } from "../cluster";
import type { Site, Variant } from "./variant";

/**
 * This program, with the case's applications and no others.
 *
 * @param main What runs it, relative to the checkout: `npm run up`, or the same commands with another backend.
 */
export function program(main: string): Variant {
  const command = (name: "up" | "preview", site: Site, watchMemory: boolean): Promise<Finished> => {
    const namespaces = JSON.stringify(configuration(site.case));
    return runChild(
      process.execPath,
      [
        ...["--require", "./typescript.cjs", main, name],
        ...["--name", SANDBOX],
        ...["--config", `linkerd-mtls:namespaces=${namespaces}`],
        ...["--config", "linkerd-mtls:sampleApplications=[]"],
      ],
      { cwd: PROJECT, log: logOf(name, site), signal: site.cluster.signal, watchMemory },
    );
  };
  return {
    run: async (site) => {
      const { seconds, memoryMiB } = await command("up", site, true);
      return {
        wallSeconds: seconds,
        programMemoryMiB: memoryMiB.self,
        engineMemoryMiB: memoryMiB.children.pulumi ?? 0,
      };
    },
    afterwards: async (site) => {
      const { seconds } = await command("preview", site, false);
      const log = logOf("preview", site);
      if (!/^Resources:\n\s+\d+ unchanged$/m.test(await readFile(log, "utf8"))) {
        throw new UserError("a preview without changes shows changes", `see ${log}`);
      }
      return { previewSeconds: seconds };
    },
  };
}

function logOf(name: string, { logs }: Site): string {
  return join(logs, `program-${name}.log`);
}
