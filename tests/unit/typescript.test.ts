import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { types } from "node:util";

describe("typescript.cjs", () => {
  it("leaves dependencies to Node.js, also those that are ECMAScript modules", () => {
    const dependency: unknown = createRequire(__filename)("@kubernetes/client-node");
    // tsx would compile it, and make a plain object of its exports.
    assert(types.isModuleNamespaceObject(dependency));
  });
});
