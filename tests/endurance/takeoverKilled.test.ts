import {
  installByCli,
  installByScript,
  installWithCertManager,
  installWithValues,
  installWithViz,
} from "../support/othersMesh";
import {
  CERTIFICATE_GONE,
  GUARDED,
  type Moment,
  provesKills,
  record,
  SIGNED,
  TRUSTED_TOO,
} from "../support/takeoverKills";

/** In the order in which one takeover after another comes to them. */
const MOMENTS: readonly Moment[] = [
  GUARDED,
  TRUSTED_TOO,
  SIGNED,
  record("linkerd-control-plane.v1", "uninstalled", "superseded"),
  record("linkerd-control-plane.v2", "pending-install", "deployed"),
];

describe("a takeover of a mesh of helm install that is killed", () => {
  const revisions = { "linkerd-crds": 2, "linkerd-control-plane": 2 };
  provesKills({ name: "test-takeover-killed", install: installByScript, revisions }, MOMENTS);
});

describe("a takeover of a mesh of linkerd install that is killed", () => {
  const revisions = { "linkerd-crds": 1, "linkerd-control-plane": 1 };
  const moments = [TRUSTED_TOO, record("linkerd-control-plane.v1", "pending-install", "deployed")];
  provesKills({ name: "test-takeover-killed-cli", install: installByCli, revisions }, moments);
});

describe("a takeover of a mesh with certificates of cert-manager that is killed", () => {
  const revisions = { "linkerd-crds": 2, "linkerd-control-plane": 2 };
  const moments = [CERTIFICATE_GONE, record("linkerd-control-plane.v2", "pending-install", "deployed")];
  provesKills({ name: "test-takeover-killed-certs", install: installWithCertManager, revisions }, moments);
});

describe("a takeover of a mesh with viz that is killed", () => {
  const revisions = { "linkerd-crds": 2, "linkerd-control-plane": 2, "linkerd-viz": 2 };
  const moments = [TRUSTED_TOO, record("linkerd-viz.v2", "pending-install", "deployed")];
  provesKills({ name: "test-takeover-killed-viz", install: installWithViz, revisions }, moments);
});

describe("a takeover of a mesh of other values that is killed", () => {
  const revisions = { "linkerd-crds": 2, "linkerd-control-plane": 2 };
  const moments = [SIGNED, record("linkerd-control-plane.v2", "pending-install", "deployed")];
  provesKills({ name: "test-takeover-killed-values", install: installWithValues, revisions }, moments);
});
