import assert from "node:assert/strict";

import type { ResourceHookArgs } from "@pulumi/pulumi";

import { helmRelease } from "../../components/cluster/helmRelease";
import { ApiServer, status } from "../support/apiServer";
import { record, type Recording } from "../support/recorder";

const SECRETS = "/api/v1/namespaces/linkerd/secrets";
const INPUTS = { name: "crds", namespace: "linkerd" };

/** The request for the records of the release, of whatever status. */
function list(statuses = ""): string {
  const query = new URLSearchParams({ labelSelector: `owner=helm,name=crds${statuses}` });
  return `GET ${SECRETS}?${query.toString()}`;
}

const UNFINISHED = ",status in (pending-upgrade,pending-rollback)";

const records = (...names: string[]) => ({
  body: { items: names.map((name) => ({ metadata: { name } })) },
});

describe("helmRelease", () => {
  const server = new ApiServer();
  let recording: Recording;

  before(() => server.listen());
  beforeEach(async () => {
    server.answers = {};
    server.requests = [];
    const kubeconfig = server.kubeconfig();
    recording = await record(() => {
      helmRelease("crds", { ...INPUTS, chart: "crds" }, { kubeconfig }, {});
    });
  });
  after(() => {
    server.close();
  });

  /** What Pulumi does before it creates or updates the release. */
  async function prepare(inputs: Pick<ResourceHookArgs, "newInputs" | "oldInputs">): Promise<string[]> {
    const hook = recording.hooks.get("crds-records");
    assert.ok(hook);
    await hook.callback({ urn: "", id: "", name: "", type: "", ...inputs });
    return server.requests.map(({ line }) => line);
  }

  it("looks for what an interruption left, before it is created and before it is updated", () => {
    const hooks = ["crds-records"];
    assert.deepEqual(recording.get("Release", "crds").hooks, { beforeCreate: hooks, beforeUpdate: hooks });
  });

  it("is deleted before it is replaced, so that its own records are never taken for left ones", () => {
    assert.equal(recording.get("Release", "crds").deleteBeforeReplace, true);
  });

  it("removes every record of a release that is not in the state, and nothing else", async () => {
    const [first, second] = [`DELETE ${SECRETS}/first`, `DELETE ${SECRETS}/second`];
    server.answers = { [list()]: records("first", "second"), [first]: { body: {} }, [second]: { body: {} } };
    assert.deepEqual(await prepare({ newInputs: INPUTS }), [list(), first, second]);
  });

  it("removes only upgrades that never ended of a release that is in the state", async () => {
    const third = `DELETE ${SECRETS}/third`;
    server.answers = { [list(UNFINISHED)]: records("third"), [third]: { body: {} } };
    assert.deepEqual(await prepare({ newInputs: INPUTS, oldInputs: INPUTS }), [list(UNFINISHED), third]);
  });

  it("goes on where nothing is left", async () => {
    server.answers = { [list()]: records() };
    assert.deepEqual(await prepare({ newInputs: INPUTS }), [list()]);
  });

  it("says what it was not allowed to do", async () => {
    server.answers = { [list()]: status(403, "secrets is forbidden") };
    await assert.rejects(prepare({ newInputs: INPUTS }), {
      message:
        "Helm's records of release linkerd/crds cannot be looked up: secrets is forbidden\n" +
        "  the deploying user must be allowed to list and delete secrets in namespace linkerd",
    });
  });
});
