import assert from "node:assert/strict";

import { CoreV1Api, CustomObjectsApi } from "@kubernetes/client-node";

import { testAnchor } from "../support/certificates";
import { configuration, type Ended, run, succeed } from "../support/command";
import { useSandbox } from "../support/testSandbox";

/** Nothing but the mesh itself, and a deadline that a test can wait for. */
const BARE = { sampleApplications: [], namespaces: [] };
const DEADLINE_SECONDS = 12;

/** By when it must have been reported on any machine. */
const LATEST_SECONDS = 60;

/** An issuer that another tool made. */
const OUTSIDE = "outside";

describe("cert-manager that cannot issue", () => {
  const sandbox = useSandbox("test-cert-manager-fails");
  const command = (values: Readonly<Record<string, unknown>>): string[] => [
    "up",
    "--stack",
    "rotating",
    "--name",
    sandbox.name,
    ...configuration({
      ...BARE,
      certManager: { install: true, deadlineSeconds: DEADLINE_SECONDS },
      ...values,
    }),
  ];
  const fail = async (values: Readonly<Record<string, unknown>>): Promise<string> => {
    const { code, output }: Ended = await run(...command(values));
    assert.equal(code, 1, output);
    return output;
  };
  let anchor: Awaited<ReturnType<typeof testAnchor>>;
  let withIssuer: Readonly<Record<string, unknown>>;

  before(async () => {
    await succeed("sandbox", "start", "--name", sandbox.name);
    anchor = await testAnchor();
    withIssuer = {
      trustAnchors: [{ id: "2026", certificate: anchor.certPem }],
      rotatingIdentity: { issuerRef: { name: OUTSIDE } },
      // So that the control plane has one thing to wait for.
      rotatingWebhooks: { enabled: false },
    };
  });

  /** How long the message says that it took, in seconds. */
  function secondsOf(output: string): number {
    return Number(/ in (\d+\.\d) s \(deadline \d+ s\)/.exec(output)?.[1]);
  }

  it("because it is not installed, is reported before the deadline", async () => {
    const output = await fail({ certManager: { install: false, deadlineSeconds: LATEST_SECONDS } });
    assert.match(output, /error: before hook "[a-z-]+-accepted" failed: the API server does not accept/);
    assert.match(
      output,
      /cert-manager is not installed, because the API server does not know cert-manager.io\/v1/,
    );
    assert(secondsOf(output) < LATEST_SECONDS, output);
  });

  it("because its webhook does not answer, is reported at the deadline", async () => {
    await sandbox.hold("cert-manager-webhook");
    await sandbox.hold("cert-manager-controller");
    const output = await fail({});
    await sandbox.release("cert-manager-webhook");
    assert.match(output, /the API server does not accept cert-manager's objects after \d+ tries/);
    assert.match(
      output,
      /cert-manager's webhook does not answer: .*failed calling webhook "webhook\.cert-manager\.io"/,
    );
    assert(secondsOf(output) < LATEST_SECONDS, output);
  });

  it("because its controller does not run, is reported at the deadline", async () => {
    const output = await fail({});
    await sandbox.release("cert-manager-controller");
    assert.match(
      output,
      /error: before hook "linkerd-identity-issuer-ready" failed: 1 of 1 objects are not Ready after/,
    );
    assert.match(
      output,
      /Certificate linkerd\/linkerd-identity-issuer: no conditions, so its controller does not run/,
    );
    assert.match(
      output,
      /Issuer linkerd\/linkerd-trust-anchor: no conditions, so its controller does not run/,
    );
    assert(secondsOf(output) < LATEST_SECONDS, output);
  });

  it("because its issuer does not exist, is reported", async () => {
    const output = await fail(withIssuer);
    assert.match(output, /Certificate linkerd\/linkerd-identity-issuer: .*Issuing=True/);
    assert.match(output, /Issuer linkerd\/outside: not found/);
  });

  it("because that issuer is not Ready, is reported with its reason", async () => {
    await sandbox.client(CustomObjectsApi).createNamespacedCustomObject({
      group: "cert-manager.io",
      version: "v1",
      plural: "issuers",
      namespace: "linkerd",
      body: {
        apiVersion: "cert-manager.io/v1",
        kind: "Issuer",
        metadata: { name: OUTSIDE },
        spec: { ca: { secretName: "outside-ca" } },
      },
    });
    const output = await fail(withIssuer);
    assert.match(
      output,
      /Issuer linkerd\/outside: Ready=False \(ErrGetKeyPair\): .*secret "outside-ca" not found/,
    );
  });

  it("has left no control plane, and the same command completes when the cause is fixed", async () => {
    const core = sandbox.client(CoreV1Api);
    assert.deepEqual((await core.listNamespacedPod({ namespace: "linkerd" })).items, []);
    await core.createNamespacedSecret({
      namespace: "linkerd",
      body: {
        metadata: { name: "outside-ca" },
        type: "kubernetes.io/tls",
        stringData: { "tls.crt": anchor.certPem, "tls.key": anchor.keyPem },
      },
    });
    await succeed(...command(withIssuer));
    const { items } = await core.listNamespacedPod({ namespace: "linkerd" });
    assert(items.some(({ metadata }) => metadata?.name?.startsWith("linkerd-identity-")));
    const { data } = await core.readNamespacedSecret({
      namespace: "linkerd",
      name: "linkerd-identity-issuer",
    });
    const issuedBy = Buffer.from(data?.["ca.crt"] ?? "", "base64").toString();
    assert.equal(issuedBy.trim(), anchor.certPem.trim());
    assert.equal(data?.["tls.crt"] !== undefined, true);
  });
});
