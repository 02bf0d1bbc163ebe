import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { sourceOf } from "../../tools/sandbox/build/go";
import {
  assertHighAvailability,
  CONTROL_PLANE_EXCEPTIONS,
  controlPlaneHa,
  VIZ_EXCEPTIONS,
  vizHa,
} from "../support/highAvailability";

describe("high availability in the sandbox's release", () => {
  let charts: string;

  before(async () => {
    const signal = new AbortController().signal;
    charts = (await sourceOf("github.com/linkerd/linkerd2", "kubernetes", signal)).directory;
  });

  it("is that of the control plane's chart", async () => {
    const file = join(charts, "charts", "linkerd-control-plane", "values-ha.yaml");
    assertHighAvailability(await readFile(file, "utf8"), controlPlaneHa, CONTROL_PLANE_EXCEPTIONS);
  });

  it("is that of viz's chart", async () => {
    const file = join(charts, "viz", "charts", "linkerd-viz", "values-ha.yaml");
    assertHighAvailability(await readFile(file, "utf8"), vizHa, VIZ_EXCEPTIONS);
  });
});
