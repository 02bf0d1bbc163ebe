import assert from "node:assert/strict";

import { IdentityIssuer } from "../../components/pki/identityIssuer";
import { type Answer, ApiServer, status } from "../support/apiServer";
import { record, type Recording } from "../support/recorder";

const SECRET = "/api/v1/namespaces/linkerd/secrets/linkerd-identity-issuer";
const DISCOVER = "GET /api/v1";
const [READ, DELETE] = [`GET ${SECRET}`, `DELETE ${SECRET}`];

const NEW_INPUTS = {
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "linkerd-identity-issuer", namespace: "linkerd" },
};

/** Who has made it, beside its annotations. */
const MANAGERS = { uid: "uid-1", managedFields: [{ manager: "kubectl-create" }] };

/** A Secret with these annotations, as the API server has it. */
const secret = (annotations: Readonly<Record<string, string>>) => ({
  body: { ...NEW_INPUTS, metadata: { ...NEW_INPUTS.metadata, ...MANAGERS, annotations } },
});

/** What cert-manager writes on the Secret of a Certificate of that name, whoever has made it. */
const WRITTEN = {
  "cert-manager.io/certificate-name": "linkerd-identity-issuer",
  "cert-manager.io/issuer-name": "other",
};

describe("a Secret that takes over from cert-manager's Certificate", () => {
  const server = new ApiServer();
  let recording: Recording;

  before(() => server.listen());
  beforeEach(async () => {
    server.requests = [];
    const source = { certificate: "certificate", privateKey: "key" };
    recording = await record(() => {
      new IdentityIssuer("issuer", {
        ...{ namespace: "linkerd", trustDomain: "example.org", trustBundlePem: "bundle", source },
        cluster: { kubeconfig: server.kubeconfig(), mark: "o/p/s 12345678" },
      });
    });
  });
  after(() => {
    server.close();
  });

  /** What is asked before Pulumi creates the Secret, when the API server has that one. */
  async function create(answer: Answer): Promise<string[]> {
    const resources = [{ name: "secrets", kind: "Secret", namespaced: true, singularName: "", verbs: [] }];
    server.answers = {
      [DISCOVER]: { body: { kind: "APIResourceList", groupVersion: "v1", resources } },
      [READ]: answer,
      [DELETE]: { body: {} },
    };
    assert.deepEqual(recording.get("Secret", "issuer-secret").hooks.beforeCreate, ["issuer-secret-leftover"]);
    const hook = recording.hooks.get("issuer-secret-leftover");
    assert.ok(hook);
    await hook.callback({ urn: "", id: "", name: "", type: "", newInputs: NEW_INPUTS });
    return server.requests.map(({ line }) => line).filter((line) => line !== DISCOVER);
  }

  it("deletes what cert-manager wrote for this stack, and nothing made since", async () => {
    const written = secret({ ...WRITTEN, "linkerd-mtls/stack": "renamed/p/s 12345678" });
    assert.deepEqual(await create(written), [READ, DELETE]);
    const { body } = server.requests.at(-1) ?? {};
    assert.deepEqual(JSON.parse(body ?? ""), { preconditions: { uid: "uid-1" } });
  });

  it("deletes what it left itself, when it was kept for cert-manager or was created just before a kill", async () => {
    assert.deepEqual(await create(secret({ "cert-manager.io/issuer-name": "linkerd-mtls" })), [READ, DELETE]);
  });

  it("refuses one of others, also of a Certificate of that name", async () => {
    for (const [annotations, owner] of [
      [{}, "written by kubectl-create"],
      [WRITTEN, "written by kubectl-create"],
      [{ ...WRITTEN, "linkerd-mtls/stack": "other/p/s 87654321" }, "made by stack other/p/s"],
    ] as const) {
      server.requests = [];
      await assert.rejects(create(secret(annotations)), {
        message:
          `Secret linkerd/linkerd-identity-issuer exists already, and this stack did not make it: ${owner}\n` +
          "  it is left as it is: delete it, and what has made it, if nobody needs it",
      });
      assert.deepEqual(
        server.requests.map(({ line }) => line).filter((line) => line !== DISCOVER),
        [READ],
      );
    }
  });

  it("goes on where there is none", async () => {
    assert.deepEqual(await create(status(404, "not found")), [READ]);
  });

  it("says what it was not allowed to do", async () => {
    await assert.rejects(create(status(403, "secrets is forbidden")), {
      message:
        "Secret linkerd/linkerd-identity-issuer cannot be looked up or deleted before it is created: " +
        "secrets is forbidden\n  the deploying user must be allowed to get and delete it",
    });
  });
});
