import assert from "node:assert/strict";

import { LinkerdNamespace } from "../../components";
import { ApiServer, status } from "../support/apiServer";
import { record } from "../support/recorder";

const NAMESPACE = "GET /api/v1/namespaces/linkerd";
const MARK = "o/p/s 12345678";

describe("the creation of a namespace", () => {
  const server = new ApiServer();
  before(() => server.listen());
  after(() => {
    server.close();
  });

  /** Asks before Pulumi creates it, when the API server has one with these annotations. */
  async function create(annotations?: Readonly<Record<string, string>>): Promise<void> {
    server.answers = {
      [NAMESPACE]:
        annotations === undefined
          ? status(404, "not found")
          : { body: { metadata: { name: "linkerd", annotations } } },
    };
    const recording = await record(() => {
      new LinkerdNamespace("mesh", { cluster: { kubeconfig: server.kubeconfig(), mark: MARK } });
    });
    const { inputs, hooks } = recording.get("Namespace", "mesh-namespace");
    assert.deepEqual(hooks.beforeCreate, ["mesh-namespace-foreign"]);
    const hook = recording.hooks.get("mesh-namespace-foreign");
    const newInputs = { apiVersion: "v1", kind: "Namespace", ...inputs };
    await hook?.callback({ urn: "", id: "", name: "", type: "", newInputs });
  }

  it("is let through where there is none, or where a kill left it", async () => {
    await create();
    await create({ "linkerd-mtls/stack": MARK, "linkerd-mtls/resource": "mesh-namespace" });
    await create({ "linkerd-mtls/stack": "renamed/p/s 12345678" });
  });

  it("is refused where others have made it", async () => {
    await assert.rejects(
      create({}),
      /^Error: Namespace linkerd exists already, and this stack did not make it/,
    );
    await assert.rejects(
      create({ "linkerd-mtls/stack": "o/p/other 87654321" }),
      /did not make it: made by stack o\/p\/other\n/,
    );
  });

  it("is refused where another resource of this stack has made it, which Pulumi would delete after it", async () => {
    await assert.rejects(create({ "linkerd-mtls/stack": MARK, "linkerd-mtls/resource": "old-namespace" }), {
      message:
        "Namespace linkerd exists already, made by this stack as its resource old-namespace: Pulumi would delete that next, with all that is in it\n" +
        "  keep the resource with an alias, or take linkerd out of the configuration in an `up` of its own first, which deletes it",
    });
  });
});
