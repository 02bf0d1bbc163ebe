import { installByScript } from "../support/othersMesh";
import { provesTakeover } from "../support/takeover";

describe("a mesh of helm install that a stack takes over", () => {
  provesTakeover({
    name: "test-takeover",
    install: installByScript,
    revisions: { "linkerd-crds": 2, "linkerd-control-plane": 2 },
  });
});
