import {
  installByCli,
  installByScript,
  installWithCertManager,
  installWithValues,
  installWithViz,
} from "./othersMesh";
import { refusingProvider } from "./refusingProvider";
import type { OthersMesh } from "./takeover";
import type { TestSandbox } from "./testSandbox";

/** Of the releases, once the stack has them. */
const REVISIONS = { "linkerd-crds": 2, "linkerd-control-plane": 2 };

/** Every kind of mesh that a stack takes over, by how it was installed. */
export const OTHERS_MESHES = {
  "helm install": { name: "test-takeover-helm", install: installByScript, revisions: REVISIONS },
  "helm install, by a provider that refuses to create what exists": {
    name: "test-takeover-refused",
    install: installByScript,
    env: async ({ paths }: TestSandbox) => ({ ...(await refusingProvider(paths)) }),
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
} as const satisfies Readonly<Record<string, OthersMesh>>;
