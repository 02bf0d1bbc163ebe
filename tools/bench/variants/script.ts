import { writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { manifests, namespaceNames } from "../applications";
import { runChild } from "../child";
import type * as Guard from "./guard";
import type { Site, Variant } from "./variant";

const SCRIPT = join(__dirname, "..", "script.sh");

/** What distinguishes the scripts. */
interface ScriptArgs {
  /** Whether each step waits for the one before. */
  readonly wait: boolean;
  /** Whether every Deployment is restarted at the end. */
  readonly restart: boolean;
  /** Whether the guard is in the API server before the script starts. */
  readonly guard?: boolean;
}

async function deployGuard(site: Site): Promise<void> {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- Pulumi's packages take seconds to load.
  const guard = require("./guard") as typeof Guard;
  await guard.deployGuard(site);
}

function yesOrNo(value: boolean): string {
  return value ? "yes" : "no";
}

/** (b) to (e): tools/bench/script.sh. */
export function script({ wait, restart, guard = false }: ScriptArgs): Variant {
  return {
    ...(guard && { prepare: deployGuard }),
    run: async (site) => {
      const { paths, tools, signal } = site.cluster;
      const applications = join(paths.root, "applications.yaml");
      await writeFile(applications, manifests(site.case));
      const { seconds } = await runChild("bash", [SCRIPT], {
        cwd: paths.root,
        env: {
          PATH: [dirname(site.helm), dirname(tools.kubectl), process.env.PATH].join(delimiter),
          KUBECONFIG: paths.kubeconfig,
          // What people have set for their own Helm does not belong here.
          HELM_CONFIG_HOME: join(paths.root, "helm"),
          HELM_CACHE_HOME: join(paths.root, "helm"),
          HELM_DATA_HOME: join(paths.root, "helm"),
          CHARTS: tools.charts,
          APPLICATIONS: applications,
          NAMESPACES: namespaceNames(site.case).join(" "),
          WAIT: yesOrNo(wait),
          RESTART: yesOrNo(restart),
        },
        log: join(site.logs, "script.log"),
        signal,
      });
      return { wallSeconds: seconds };
    },
  };
}
