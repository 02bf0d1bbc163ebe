import { installByCli, installWithValues, installWithViz } from "../support/othersMesh";
import { provesRelease, provesRotation, provesTakeover } from "../support/takeover";

/** Of the releases, once the stack has them. */
const REVISIONS = { "linkerd-crds": 2, "linkerd-control-plane": 2 };

for (const [what, mesh] of Object.entries({
  "of linkerd install": {
    name: "test-takeover-cli",
    install: installByCli,
    // Helm had no record.
    revisions: { "linkerd-crds": 1, "linkerd-control-plane": 1 },
  },
  "with viz": {
    name: "test-takeover-viz",
    install: installWithViz,
    revisions: { ...REVISIONS, "linkerd-viz": 2 },
  },
  "of other values": { name: "test-takeover-values", install: installWithValues, revisions: REVISIONS },
})) {
  describe(`a mesh ${what} that a stack takes over`, () => {
    const taken = provesTakeover(mesh);
    provesRotation(taken);
    provesRelease(taken);
  });
}
