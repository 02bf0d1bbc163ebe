import {
  installByCli,
  installByScript,
  installWithCertManager,
  installWithValues,
  installWithViz,
} from "../support/othersMesh";
import { refusingProvider } from "../support/refusingProvider";
import { type OthersMesh, provesDestruction, provesRelease, provesTakeover } from "../support/takeover";
import { byHand, provesRotation } from "../support/takeoverRotation";

/** Of the releases, once the stack has them. */
const REVISIONS = { "linkerd-crds": 2, "linkerd-control-plane": 2 };

const MESHES: Readonly<Record<string, OthersMesh>> = {
  "helm install": { name: "test-takeover-helm", install: installByScript, revisions: REVISIONS },
  "helm install, by a provider that refuses to create what exists": {
    name: "test-takeover-refused",
    install: installByScript,
    env: async ({ paths }) => ({ ...(await refusingProvider(paths)) }),
    revisions: REVISIONS,
  },
  "linkerd install": {
    name: "test-takeover-cli",
    install: installByCli,
    // Helm had no record.
    revisions: { "linkerd-crds": 1, "linkerd-control-plane": 1 },
    hasKeys: false,
  },
  viz: {
    name: "test-takeover-viz",
    install: installWithViz,
    revisions: { ...REVISIONS, "linkerd-viz": 2 },
  },
  "cert-manager": {
    name: "test-takeover-cert-manager",
    install: installWithCertManager,
    revisions: { ...REVISIONS, "cert-manager": 1 },
    hasKeys: false,
  },
  "other values": { name: "test-takeover-values", install: installWithValues, revisions: REVISIONS },
};

for (const [what, others] of Object.entries(MESHES)) {
  describe(`a mesh of ${what} that a stack takes over, gives back, takes over again and rotates`, () => {
    const mesh = provesTakeover(others);
    provesRelease(mesh);
    provesRotation(mesh, what === "cert-manager" ? byHand() : undefined);
    provesDestruction(mesh);
  });
}
