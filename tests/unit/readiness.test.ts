import assert from "node:assert/strict";

import type * as pulumi from "@pulumi/pulumi";

import { acceptanceHook } from "../../components/cluster/acceptance";
import { readinessGate } from "../../components/cluster/readinessGate";
import { CLOCK } from "../../components/cluster/waiting";
import { type Answer, ApiServer, status } from "../support/apiServer";
import { record } from "../support/recorder";

const ISSUERS = "/apis/cert-manager.io/v1/namespaces/linkerd/issuers";
const CERTIFICATE = "GET /apis/cert-manager.io/v1/namespaces/linkerd/certificates/identity";
const ISSUER = `GET ${ISSUERS}/anchor`;
const DRY_RUN = `POST ${ISSUERS}?dryRun=All`;

describe("what waits for controllers", () => {
  const server = new ApiServer();

  const clock = { ...CLOCK };

  before(() => server.listen());
  beforeEach(() => {
    server.answers = {};
    server.requests = [];
    // Time passes only while somebody waits, so that a busy machine sees as many tries as any other.
    let now = 0;
    CLOCK.now = () => now;
    CLOCK.sleep = (ms) => {
      now += ms;
      return Promise.resolve();
    };
  });
  after(() => {
    Object.assign(CLOCK, clock);
    server.close();
  });

  const asked = (): string[] => server.requests.map(({ line }) => line);
  const hookArgs = (newInputs: unknown): pulumi.ResourceHookArgs => ({
    urn: "",
    id: "",
    name: "",
    type: "",
    newInputs: newInputs as pulumi.ResourceHookArgs["newInputs"],
  });

  describe("readinessGate", () => {
    const identity = {
      apiVersion: "cert-manager.io/v1",
      kind: "Certificate",
      namespace: "linkerd",
      name: "identity",
    };
    const bundle = { apiVersion: "trust.cert-manager.io/v1alpha1", kind: "Bundle", name: "roots" };

    /** Runs the hook as the engine does before it creates the gate. */
    async function open(object: object = identity, condition: "Ready" | "Synced" = "Ready"): Promise<void> {
      const { hooks, ...recording } = await record(() => {
        readinessGate(
          "gate",
          {
            objects: [identity],
            condition,
            specs: [],
            controller: "cert-manager",
            deadlineSeconds: 1,
            cluster: { kubeconfig: server.kubeconfig() },
          },
          {},
        );
      });
      assert.equal(recording.resources.filter(({ name }) => name === "gate").length, 1);
      await hooks.get("gate")?.callback(hookArgs({ keepers: { objects: JSON.stringify([object]) } }));
    }

    const certificate = (...conditions: object[]): Answer => ({
      body: {
        metadata: { generation: 2 },
        spec: { issuerRef: { name: "anchor", kind: "Issuer", group: "cert-manager.io" } },
        status: { conditions },
      },
    });
    const READY = { type: "Ready", status: "True", observedGeneration: 2 };

    it("opens when the condition is True", async () => {
      server.answers = { [CERTIFICATE]: certificate(READY) };
      await open();
      assert.deepEqual(asked(), [CERTIFICATE]);
    });

    it("reads objects without a namespace, and other conditions", async () => {
      const line = "GET /apis/trust.cert-manager.io/v1alpha1/bundles/roots";
      server.answers = { [line]: { body: { status: { conditions: [{ type: "Synced", status: "True" }] } } } };
      await open(bundle, "Synced");
      assert.deepEqual(asked(), [line]);
    });

    it("says at its deadline what the object and its issuer report", async () => {
      server.answers = {
        [CERTIFICATE]: certificate({
          type: "Ready",
          status: "False",
          reason: "DoesNotExist",
          message: "Secret does not exist",
          observedGeneration: 2,
        }),
        [ISSUER]: {
          body: {
            metadata: { generation: 1 },
            status: {
              conditions: [{ type: "Ready", status: "False", reason: "ErrGetKeyPair", message: "no key" }],
            },
          },
        },
      };
      await assert.rejects(open(), ({ message }: Error) => {
        const [first = "", ...lines] = message.split("\n");
        assert.match(first, /^1 of 1 objects are not Ready after 4 tries in 1\.0 s \(deadline 1 s\)$/);
        assert.deepEqual(lines, [
          "  Certificate linkerd/identity: Ready=False (DoesNotExist): Secret does not exist",
          "  Issuer linkerd/anchor: Ready=False (ErrGetKeyPair): no key",
          "  look at:",
          "    kubectl -n linkerd describe certificate",
          "    kubectl get pods -A -l app.kubernetes.io/instance=cert-manager",
        ]);
        return true;
      });
    });

    for (const [what, answer, description] of [
      [
        "that was changed since",
        certificate({ ...READY, observedGeneration: 1 }),
        "Certificate linkerd/identity: Ready=True (before the last change)",
      ],
      [
        "that is being reissued",
        certificate(READY, { type: "Issuing", status: "True", reason: "Renewing" }),
        "Certificate linkerd/identity: Ready=True; Issuing=True (Renewing)",
      ],
      [
        "that nobody looks at",
        certificate(),
        "Certificate linkerd/identity: no conditions, so its controller does not run or has not seen it yet",
      ],
      ["that does not exist", status(404, "no such thing"), "Certificate linkerd/identity: not found"],
      [
        "that may not be read",
        status(403, "forbidden: cannot get resource"),
        "Certificate linkerd/identity: forbidden: cannot get resource",
      ],
    ] as const) {
      it(`does not open for an object ${what}`, async () => {
        server.answers = { [CERTIFICATE]: answer, [ISSUER]: status(404, "no such thing") };
        await assert.rejects(open(), ({ message }: Error) => {
          assert.equal(message.split("\n")[1], `  ${description}`);
          return true;
        });
      });
    }
  });

  describe("acceptanceHook", () => {
    async function hook(clusterScoped?: boolean): Promise<pulumi.ResourceHook> {
      const { hooks } = await record(() => {
        acceptanceHook("accepted", {
          controller: "cert-manager",
          clusterScoped,
          deadlineSeconds: 1,
          cluster: { kubeconfig: server.kubeconfig() },
        });
      });
      const accepted = hooks.get("accepted");
      assert.ok(accepted);
      return accepted;
    }
    const object = {
      apiVersion: "cert-manager.io/v1",
      kind: "Issuer",
      metadata: { name: "anchor", namespace: "linkerd" },
      spec: { selfSigned: {} },
    };
    const inputs = hookArgs(object);

    async function refusal(answer: Answer): Promise<string[]> {
      server.answers = { [DRY_RUN]: answer };
      let lines: string[] = [];
      await assert.rejects(Promise.resolve((await hook()).callback(inputs)), ({ message }: Error) => {
        lines = message.split("\n");
        return true;
      });
      return lines;
    }

    it("asks for a dry run of the object under another name, once for all who ask", async () => {
      server.answers = { [DRY_RUN]: { status: 201, body: {} } };
      const accepted = await hook();
      await Promise.all([accepted.callback(inputs), accepted.callback(inputs)]);
      await accepted.callback(inputs);
      assert.deepEqual(asked(), [DRY_RUN]);
      assert.deepEqual(JSON.parse(server.requests[0]?.body ?? ""), {
        apiVersion: "cert-manager.io/v1",
        kind: "Issuer",
        metadata: { generateName: "anchor-", namespace: "linkerd" },
        spec: { selfSigned: {} },
      });
    });

    it("asks for an object without a namespace", async () => {
      const line = "POST /apis/trust.cert-manager.io/v1alpha1/bundles?dryRun=All";
      server.answers = { [line]: { status: 201, body: {} } };
      // Pulumi's provider adds the namespace as long as it does not know the kind.
      const metadata = { name: "roots", namespace: "default" };
      const bundle = { apiVersion: "trust.cert-manager.io/v1alpha1", kind: "Bundle", metadata, spec: {} };
      await (await hook(true)).callback(hookArgs(bundle));
      assert.deepEqual(asked(), [line]);
    });

    it("asks again after a failure", async () => {
      const accepted = await hook();
      server.answers = { [DRY_RUN]: status(403, "issuers is forbidden: cannot create resource") };
      await assert.rejects(Promise.resolve(accepted.callback(inputs)));
      server.answers = { [DRY_RUN]: { status: 201, body: {} } };
      await accepted.callback(inputs);
      assert.equal(asked().length, 2);
    });

    it("says that the webhook does not answer, and where to look", async () => {
      const message =
        'Internal error occurred: failed calling webhook "webhook.cert-manager.io": no endpoints';
      const [first = "", ...lines] = await refusal(status(500, message));
      assert.match(first, /^the API server does not accept cert-manager's objects after 4 tries in 1\.0 s/);
      assert.deepEqual(lines, [
        `  cert-manager's webhook does not answer: ${message}`,
        "  look at:",
        "    kubectl get pods,services,endpointslices -A -l app.kubernetes.io/instance=cert-manager",
        "    kubectl get validatingwebhookconfigurations -l app.kubernetes.io/instance=cert-manager",
      ]);
    });

    it("says that cert-manager is not installed", async () => {
      const [, line] = await refusal({ status: 404, body: "404 page not found" });
      assert.match(line ?? "", /^ {2}cert-manager is not installed, .* does not know cert-manager\.io\/v1: /);
    });

    it("fails at once where permission is missing", async () => {
      const [first, line] = await refusal(
        status(403, 'issuers is forbidden: User "u" cannot create resource'),
      );
      assert.match(first ?? "", /after 1 try in 0\.0 s/);
      assert.equal(
        line,
        "  permission is missing, the deploying user must be allowed to create Issuer objects in namespace linkerd: " +
          'issuers is forbidden: User "u" cannot create resource',
      );
    });

    it("fails at once where the object is wrong", async () => {
      const [first, line] = await refusal(status(422, "spec.duration: Invalid value"));
      assert.match(first ?? "", /after 1 try in 0\.0 s/);
      assert.equal(line, "  refused (422): spec.duration: Invalid value");
    });

    it("repeats any other refusal", async () => {
      const [, line] = await refusal(status(429, "slow down"));
      assert.equal(line, "  refused (429): slow down");
    });
  });
});
