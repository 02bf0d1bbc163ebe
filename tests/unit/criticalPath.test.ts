import assert from "node:assert/strict";

import type { EngineEvent } from "@pulumi/pulumi/automation";

import { type Dependent, formatPath, Timeline } from "../../tools/sandbox/criticalPath";

const urn = (type: string, name: string): string => `urn:pulumi:dev::linkerd-mtls::${type}::${name}`;
const NAMESPACE = urn("kubernetes:core/v1:Namespace", "linkerd");
const CRDS = urn("kubernetes:helm.sh/v3:Release", "crds");
const QUICK = urn("random:index/randomId:RandomId", "quick");
const COMPONENT = urn("linkerd-mtls:index:LinkerdCrds", "linkerd-crds");

describe("the critical path of a deployment", () => {
  let seconds = 100;
  let timeline: Timeline;

  const at = (second: number, event: "resourcePreEvent" | "resOutputsEvent", resource: string): void => {
    seconds = 100 + second;
    timeline.onEvent({ [event]: { metadata: { urn: resource } } } as unknown as EngineEvent);
  };

  beforeEach(() => {
    seconds = 100;
    timeline = new Timeline(() => seconds * 1000);
    at(1, "resourcePreEvent", COMPONENT);
    at(1, "resourcePreEvent", NAMESPACE);
    at(1, "resourcePreEvent", QUICK);
    at(2, "resOutputsEvent", QUICK);
    at(3, "resOutputsEvent", NAMESPACE);
    at(3.5, "resourcePreEvent", CRDS);
    // A replacement begins once more, and that is no new beginning.
    at(4, "resourcePreEvent", CRDS);
    at(8, "resOutputsEvent", CRDS);
    at(9, "resOutputsEvent", COMPONENT);
    seconds = 110;
  });

  it("goes back through the dependency of each step that ended last, also a parent's", () => {
    const resources: Dependent[] = [
      { urn: NAMESPACE },
      { urn: QUICK },
      { urn: COMPONENT, dependencies: [NAMESPACE, QUICK] },
      { urn: CRDS, parent: COMPONENT },
    ];
    const path = timeline.criticalPath(resources);
    assert.deepEqual(path, [
      { resource: "Namespace linkerd", waited: 1, took: 2 },
      { resource: "Release crds", waited: 0.5, took: 4.5 },
    ]);
    assert.equal(
      formatPath(path, timeline.seconds),
      [
        "Critical path, in seconds:",
        "  waited     took  resource",
        "     1.0      2.0  Namespace linkerd",
        "     0.5      4.5  Release crds",
        "     2.0           end of the operation",
        "             10.0  in all",
      ].join("\n"),
    );
  });

  it("is the resource alone that waits for nothing", () => {
    assert.deepEqual(timeline.criticalPath([]), [{ resource: "Release crds", waited: 3.5, took: 4.5 }]);
  });
});
