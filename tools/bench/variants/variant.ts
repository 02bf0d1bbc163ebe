import type { PulumiTools } from "../../sandbox/build/pulumi";
import type { Cluster } from "../cluster";
import type { Case, Row } from "../rows";

/** Where a variant works and with what. */
export interface Site {
  readonly cluster: Cluster;
  readonly case: Case;
  /** Pulumi as it was built; undefined for the machine's own. */
  readonly pulumi: PulumiTools;
  /** The helm binary. */
  readonly helm: string;
  /** Folder of the commands' output. */
  readonly logs: string;
}

/** What only some variants measure. */
export type Extras = Pick<Row, "previewSeconds" | "programMemoryMiB" | "engineMemoryMiB">;

/** A way to bring applications into the mesh. */
export interface Variant {
  /** What is there before the clock starts. Default: nothing. */
  readonly prepare?: (site: Site) => Promise<void>;
  /** What is timed: everything is meshed and ready, or the variant is at its end. */
  readonly run: (site: Site) => Promise<Extras & Pick<Row, "wallSeconds">>;
  /** What is measured when the clock and the counters have stopped. Default: nothing. */
  readonly afterwards?: (site: Site) => Promise<Extras>;
}
