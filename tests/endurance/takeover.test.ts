import {
  installByCli,
  installWithCertManager,
  installWithValues,
  installWithViz,
} from "../support/othersMesh";
import { provesRotation, provesTakeover } from "../support/takeover";

/** Of the releases, once the stack has them. */
const REVISIONS = { "linkerd-crds": 2, "linkerd-control-plane": 2 };

describe("a mesh of linkerd install that a stack takes over", () => {
  const mesh = provesTakeover({
    name: "test-takeover-cli",
    install: installByCli,
    // Helm had no record.
    revisions: { "linkerd-crds": 1, "linkerd-control-plane": 1 },
    hasKeys: false,
  });
  provesRotation(mesh);
});

describe("a mesh with viz that a stack takes over", () => {
  const revisions = { ...REVISIONS, "linkerd-viz": 2 };
  provesTakeover({ name: "test-takeover-viz", install: installWithViz, revisions });
});

describe("a mesh with certificates of cert-manager that a stack takes over", () => {
  const revisions = { ...REVISIONS, "cert-manager": 1 };
  provesTakeover({
    name: "test-takeover-cert-manager",
    install: installWithCertManager,
    revisions,
    hasKeys: false,
  });
});

describe("a mesh of other values that a stack takes over", () => {
  const mesh = provesTakeover({
    name: "test-takeover-values",
    install: installWithValues,
    revisions: REVISIONS,
  });
  provesRotation(mesh);
});
