import { OTHERS_MESHES } from "../support/othersMeshes";
import { provesDestruction, provesRelease, provesTakeover } from "../support/takeover";
import { byHand, provesRotation } from "../support/takeoverRotation";

for (const [what, others] of Object.entries(OTHERS_MESHES)) {
  describe(`a mesh of ${what} that a stack takes over, gives back, takes over again and rotates`, () => {
    const mesh = provesTakeover(others);
    provesRelease(mesh);
    provesRotation(mesh, what === "cert-manager" ? byHand() : undefined);
    provesDestruction(mesh);
  });
}
