import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";

import { issuerGate } from "../../components/controlPlane/issuerGate";
import { readIssuerInUse } from "../../components/controlPlane/issuerInUse";
import { ApiServer, status } from "../support/apiServer";
import { testAnchor, type TestCertificate, testIssuer } from "../support/certificates";
import { eventually } from "../support/eventually";
import { record } from "../support/recorder";

const SECRET = "GET /api/v1/namespaces/linkerd/secrets/linkerd-identity-issuer";
const PODS =
  "GET /api/v1/namespaces/linkerd/pods?labelSelector=linkerd.io%2Fcontrol-plane-component%3Didentity";
const EVENTS = "GET /api/v1/namespaces/linkerd/events?fieldSelector=involvedObject.name%3Dlinkerd-identity";
const RESTART = "PATCH /apis/apps/v1/namespaces/linkerd/deployments/linkerd-identity";
const metrics = (pod: string): string => `GET /api/v1/namespaces/linkerd/pods/${pod}%3A9990/proxy/metrics`;

/** Times before now, in seconds. */
const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();

describe("issuerGate", () => {
  const server = new ApiServer();
  let anchor: TestCertificate;
  let issuer: TestCertificate;

  before(async () => {
    await server.listen();
    anchor = await testAnchor();
    issuer = await testIssuer(anchor);
  });
  beforeEach(() => {
    server.requests = [];
    written(60);
  });
  after(() => {
    server.close();
  });

  const list = (...items: object[]) => ({ body: { metadata: {}, items } });
  const event = (reason: string, seconds: number, message = "") => ({
    reason,
    lastTimestamp: ago(seconds),
    message,
    metadata: {},
    involvedObject: {},
  });

  /** The Secret was written so many seconds ago; two replicas are older, and nothing is known of them. */
  function written(seconds: number): void {
    const pod = (name: string) => ({ metadata: { name, creationTimestamp: ago(100_000) } });
    server.answers = {
      [SECRET]: {
        body: {
          metadata: { managedFields: [{ time: ago(seconds), fieldsV1: { "f:data": {} } }] },
          data: { "tls.crt": Buffer.from(issuer.certPem).toString("base64") },
        },
      },
      [PODS]: list(pod("one"), pod("two")),
      [EVENTS]: list(),
      [metrics("one")]: status(403, "forbidden"),
      [metrics("two")]: status(403, "forbidden"),
    };
  }

  /** Runs the hook as the engine does before it creates the gate; the log of the deployment. */
  async function open(
    linkerdVersion?: string,
    before: TestCertificate | "expired" = anchor,
  ): Promise<readonly string[]> {
    const issuer =
      before === "expired"
        ? { issuer: [], issuerExpired: new Date(0) }
        : { issuer: [new X509Certificate(before.certPem)] };
    const deployed = { linkerdVersion, anchors: [], ...issuer };
    const cluster = { kubeconfig: server.kubeconfig() };
    const { hooks } = await record(() => {
      issuerGate("gate", { issuer: "abc", deployed, deadlineSeconds: 1, cluster }, {});
    });
    await hooks.get("gate")?.callback({ urn: "", id: "", name: "", type: "", newInputs: {} });
    return server.requests.map(({ line }) => line);
  }

  const restarts = () => server.requests.filter(({ line }) => line === RESTART);

  const NAMES_BOTH =
    /identity does not use the new issuer after \d+ tries in \S+ s \(deadline 1 s\): one, two: no event/;

  it("asks nothing of a new mesh", async () => {
    assert.deepEqual(await open(), []);
  });

  it("opens when each replica has reported it since, and asks for no metrics", async () => {
    server.answers[EVENTS] = list(event("IssuerUpdated", 30), event("IssuerUpdated", 20));
    assert.equal((await open("edge-26.6.3")).length, 3);
  });

  it("opens when each replica was created after it", async () => {
    server.answers[PODS] = list({ metadata: { name: "new", creationTimestamp: ago(10) } });
    assert.equal((await open("edge-26.6.3")).length, 3);
  });

  it("opens when each container was started since, where the issuer before had expired", async () => {
    const containerStatuses = [{ name: "identity", state: { running: { startedAt: ago(10) } } }];
    const metadata = { name: "one", creationTimestamp: ago(100_000) };
    server.answers[PODS] = list({ metadata, status: { containerStatuses } });
    await assert.rejects(open("edge-26.6.3"), /: one: no event IssuerUpdated yet/);
    await open("edge-26.6.3", "expired");
  });

  it("restarts identity once where the issuer before had expired, and waits for it", async () => {
    server.answers["GET /apis/apps/v1"] = {
      body: { resources: [{ kind: "Deployment", name: "deployments", namespaced: true }] },
    };
    server.answers[RESTART] = { body: {} };
    server.answers[EVENTS] = list(event("IssuerUpdateSkipped", 10, "the one before"));
    const opened = open("edge-26.6.3", "expired");
    await eventually("identity is restarted", 1, () => restarts().length > 0);
    server.answers[PODS] = list({ metadata: { name: "new", creationTimestamp: ago(0) } });
    await opened;
    const [{ body } = assert.fail(), ...more] = restarts();
    assert.deepEqual(more, []);
    const { spec } = JSON.parse(body) as { spec: { template: { metadata: { annotations: object } } } };
    assert.deepEqual(Object.keys(spec.template.metadata.annotations), ["kubectl.kubernetes.io/restartedAt"]);
  });

  it("says which permission is missing to restart identity", async () => {
    server.answers["GET /apis/apps/v1"] = status(403, "deployments is forbidden");
    await assert.rejects(open("edge-26.6.3", "expired"), /after 1 try in .*deployments is forbidden/);
  });

  it("opens when the metrics of each replica give its end", async () => {
    const seconds = (issuer.notAfter.getTime() - Date.now()) / 1000;
    const text = `# HELP\nissuer_cert_ttl_seconds ${seconds.toExponential(6)}\nother 1\n`;
    server.answers[metrics("one")] = { body: text };
    server.answers[metrics("two")] = { body: text };
    const before = await testIssuer(anchor, { days: [0, 10] });
    await open("edge-26.6.3", before);
    server.answers[metrics("two")] = { body: text.replace(/(seconds) .*/, "$1 864000") };
    await assert.rejects(open("edge-26.6.3", before), / two: no event IssuerUpdated yet/);
    // With the same end before, they say nothing.
    server.answers[metrics("two")] = { body: text };
    await assert.rejects(open("edge-26.6.3", issuer), NAMES_BOTH);
  });

  it("believes metrics more than events and age, where all replicas are asked for them", async () => {
    const seconds = (issuer.notAfter.getTime() - Date.now()) / 1000;
    const text = `issuer_cert_ttl_seconds ${seconds}\n`;
    server.answers[EVENTS] = list(event("IssuerUpdated", 30), event("IssuerUpdated", 20));
    server.answers[metrics("one")] = { body: text };
    server.answers[metrics("two")] = { body: "issuer_cert_ttl_seconds 864000\n" };
    const cluster = { kubeconfig: server.kubeconfig() };
    const { unproven, others } = await readIssuerInUse(cluster, 1000, { asksMetrics: true });
    assert.deepEqual([unproven, Object.keys(others)], [["two"], ["two"]]);
    assert.deepEqual((await readIssuerInUse(cluster, 1000)).unproven, []);
  });

  it("asks since when replicas could have it, where the Secret was only written again", async () => {
    const cluster = { kubeconfig: server.kubeconfig() };
    const before = [new X509Certificate(issuer.certPem)];
    const unproven = async (...times: readonly [number?]): Promise<readonly string[]> => {
      const [writtenBefore] = times.map((seconds = 0) => new Date(ago(seconds)));
      return (await readIssuerInUse(cluster, 1000, { before, writtenBefore })).unproven;
    };
    assert.deepEqual(await unproven(200_000), []);
    assert.deepEqual(await unproven(50_000), ["one", "two"]);
    assert.deepEqual(await unproven(), ["one", "two"]);
    const other = [new X509Certificate((await testIssuer(anchor)).certPem)];
    const question = { before: other, writtenBefore: new Date(ago(200_000)) };
    assert.deepEqual((await readIssuerInUse(cluster, 1000, question)).unproven, ["one", "two"]);
  });

  it("waits for every replica, and does not count what was reported before", async () => {
    server.answers[EVENTS] = list(event("IssuerUpdated", 30), event("IssuerUpdated", 90));
    await assert.rejects(open("edge-26.6.3"), NAMES_BOTH);
  });

  it("fails at once where identity has skipped it", async () => {
    server.answers[EVENTS] = list(event("IssuerUpdateSkipped", 10, "Skipping issuer update"));
    await assert.rejects(open("edge-26.6.3"), (error: Error) => {
      assert.match(error.message, /after 1 try in .*: one, two: Skipping issuer update\n/);
      assert.match(error.message, /kubectl -n linkerd rollout restart deployment\/linkerd-identity/);
      return true;
    });
  });

  it("opens with a warning where Kubernetes has forgotten the events", async () => {
    written(4000);
    await open("edge-26.6.3");
  });

  it("says which permission is missing", async () => {
    server.answers[EVENTS] = status(403, "events is forbidden");
    await assert.rejects(open("edge-26.6.3"), /after 1 try in .*events is forbidden/);
  });
});
