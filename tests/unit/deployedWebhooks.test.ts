import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";

import { readDeployedWebhooks } from "../../components/controlPlane/deployedWebhooks";
import { SERVERS } from "../../components/controlPlane/webhookServers";
import { ApiServer, status } from "../support/apiServer";
import { testCertificate } from "../support/certificates";

const REGISTRATION = "GET /apis/admissionregistration.k8s.io/v1";
const INJECTOR = `${REGISTRATION}/mutatingwebhookconfigurations/linkerd-proxy-injector-webhook-config`;
const VALIDATORS = ["sp", "policy"].map(
  (name) => `${REGISTRATION}/validatingwebhookconfigurations/linkerd-${name}-validator-webhook-config`,
);
const SECRET = "GET /api/v1/namespaces/linkerd/secrets/linkerd-proxy-injector-k8s-tls";

describe("the webhooks that a cluster has", () => {
  const server = new ApiServer();
  const none = status(404, "not found");
  const secrets = ["linkerd/linkerd-sp-validator", "linkerd/linkerd-policy-validator"].map((name) =>
    name.replace(/^(\w+)\/(.*)$/, "GET /api/v1/namespaces/$1/secrets/$2-k8s-tls"),
  );

  before(() => server.listen());
  after(() => {
    server.close();
  });
  beforeEach(() => {
    server.answers = Object.fromEntries(
      [INJECTOR, SECRET, ...VALIDATORS, ...secrets].map((request) => [request, none]),
    );
  });

  // Nothing answers for viz: a request for it would fail.
  const read = () => readDeployedWebhooks({ kubeconfig: server.kubeconfig(), context: "here" }, false);
  const base64 = (text: string): string => Buffer.from(text).toString("base64");

  it("have their CAs, the certificate of their Secret, and when that was written", async () => {
    const [first, second] = [await testCertificate("one"), await testCertificate("two")];
    const leaf = await testCertificate("injector", { signer: first, isCa: false });
    const caBundle = base64(`${first.certPem}\n${second.certPem}`);
    const managedFields = [{ fieldsV1: { "f:data": {} }, time: "2026-01-01T00:00:00Z" }];
    server.answers = {
      ...server.answers,
      [INJECTOR]: { body: { webhooks: [{ clientConfig: { caBundle } }] } },
      [SECRET]: {
        body: {
          metadata: { managedFields },
          data: { "tls.crt": base64(leaf.certPem), "tls.key": base64(leaf.keyPem) },
        },
      },
    };
    const [injector, ...others] = await read();
    assert.deepEqual(
      injector?.cas.map(({ subject }) => subject),
      ["CN=one", "CN=two"],
    );
    assert.equal(injector.serving?.fingerprint256, new X509Certificate(leaf.certPem).fingerprint256);
    assert.equal(injector.written?.toISOString(), "2026-01-01T00:00:00.000Z");
    assert.deepEqual(
      others.map(({ service, cas, serving }) => [service, cas, serving]),
      [
        ["linkerd-sp-validator", [], undefined],
        ["linkerd-policy-validator", [], undefined],
      ],
    );
    assert.equal(SERVERS.length, others.length + 3);
  });

  it("must be readable", async () => {
    server.answers = { ...server.answers, [SECRET]: status(403, "secrets is forbidden") };
    await assert.rejects(read(), {
      message:
        "it cannot be read which CAs the API server has for webhooks: secrets is forbidden\n" +
        "    the deploying user must be allowed to get mutatingwebhookconfigurations, validatingwebhookconfigurations and, " +
        "in namespace linkerd, secrets; with viz also apiservices and, in namespace linkerd-viz, secrets",
    });
  });
});
