import assert from "node:assert/strict";

import { chartFile } from "../support/chartValues";
import {
  assertHighAvailability,
  CONTROL_PLANE_EXCEPTIONS,
  controlPlaneHa,
  VIZ_EXCEPTIONS,
  vizHa,
} from "../support/highAvailability";

describe("high availability in edge-26.8.3", () => {
  const controlPlane = chartFile("linkerd-control-plane", "values-ha.yaml");
  const viz = chartFile("linkerd-viz", "values-ha.yaml");

  it("is that of the control plane's chart", () => {
    assertHighAvailability(controlPlane, controlPlaneHa, CONTROL_PLANE_EXCEPTIONS);
  });

  it("is that of viz's chart", () => {
    assertHighAvailability(viz, vizHa, VIZ_EXCEPTIONS);
  });

  it("would not be, were a value added to the chart's, changed, or removed from them", () => {
    for (const changed of [
      `${controlPlane}\npolicyController: { resources: { cpu: { request: 100m } } }\n`,
      controlPlane.replace("controllerReplicas: 3", "controllerReplicas: 5"),
      controlPlane.replace("enablePodAntiAffinity: true", ""),
    ]) {
      assert.notEqual(changed, controlPlane);
      assert.throws(() => {
        assertHighAvailability(changed, controlPlaneHa, CONTROL_PLANE_EXCEPTIONS);
      });
    }
  });
});
