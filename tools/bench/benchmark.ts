import { mkdir } from "node:fs/promises";
import type { PulumiTools } from "../sandbox/build/pulumi";
import type { SandboxTools } from "../sandbox/build/tools";
import { withCluster } from "./cluster";
import { apiRequests, finalState, podCreations } from "./measure";
import type { Case, Row, VariantId } from "./rows";
import { RUNNERS } from "./variants";

/** What is to be measured. */
export interface Plan {
  readonly cases: readonly Case[];
  readonly variants: readonly VariantId[];
  /** How often each variant of each case is measured. */
  readonly runs: number;
}

/** One measurement that is to be made. */
export interface Measurement {
  readonly case: Case;
  readonly run: number;
  readonly variant: VariantId;
}

/** With what it is made. */
export interface Equipment {
  readonly sandbox: SandboxTools;
  readonly pulumi: PulumiTools;
  readonly helm: string;
  /** Folder of the commands' output. */
  readonly logs: string;
  readonly signal: AbortSignal;
}

/** All measurements of a plan, in order: within a run of a case the variants take turns. */
export function measurements({ cases, variants, runs }: Plan): Measurement[] {
  const numbers = Array.from({ length: runs }, (_, index) => index + 1);
  return cases.flatMap((each) =>
    numbers.flatMap((run) => variants.map((variant) => ({ case: each, run, variant }))),
  );
}

/** Makes one measurement, on a new sandbox that runs before the clock starts and is removed afterwards. */
export async function measure(what: Measurement, equipment: Equipment): Promise<Row> {
  const { sandbox, signal, ...rest } = equipment;
  const { readyDelaySeconds, namespaces, deployments } = what.case;
  await mkdir(equipment.logs, { recursive: true });
  return withCluster(sandbox, readyDelaySeconds, signal, async (cluster) => {
    const site = { ...rest, cluster, case: what.case };
    const variant = RUNNERS[what.variant];
    await variant.prepare?.(site);
    const requestsBefore = await apiRequests(cluster);
    const timed = await variant.run(site);
    const requestsAfter = await apiRequests(cluster);
    return {
      variant: what.variant,
      run: what.run,
      ...what.case,
      podsWanted: namespaces * deployments,
      ...(await podCreations(cluster.paths.logs)),
      ...(await finalState(cluster)),
      apiRequests: requestsAfter - requestsBefore,
      ...timed,
      ...(await variant.afterwards?.(site)),
    };
  });
}
