import { OTHERS_MESHES } from "../support/othersMeshes";
import {
  CERTIFICATE_GONE,
  GUARDED,
  type Moment,
  provesKills,
  record,
  SIGNED,
  TRUSTED_TOO,
} from "../support/takeoverKills";

const RELEASED = record("linkerd-control-plane.v2", "pending-install", "deployed");

/** Of each mesh, in the order in which one takeover after another comes to them. */
const MOMENTS = {
  "helm install": [
    GUARDED,
    TRUSTED_TOO,
    SIGNED,
    record("linkerd-control-plane.v1", "uninstalled", "superseded"),
    RELEASED,
  ],
  "linkerd install": [TRUSTED_TOO, record("linkerd-control-plane.v1", "pending-install", "deployed")],
  viz: [TRUSTED_TOO, record("linkerd-viz.v2", "pending-install", "deployed")],
  "cert-manager": [CERTIFICATE_GONE, RELEASED],
  "other values": [SIGNED, RELEASED],
} satisfies Readonly<Partial<Record<keyof typeof OTHERS_MESHES, readonly Moment[]>>>;

for (const [what, moments] of Object.entries(MOMENTS)) {
  describe(`a takeover of a mesh of ${what} that is killed`, () => {
    const others = OTHERS_MESHES[what as keyof typeof MOMENTS];
    provesKills({ ...others, name: `${others.name}-killed` }, moments);
  });
}
