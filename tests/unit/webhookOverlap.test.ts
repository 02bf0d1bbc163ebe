import assert from "node:assert/strict";

import * as pulumi from "@pulumi/pulumi";

import { CLOCK } from "../../components/cluster/waiting";
import { webhookOverlap } from "../../components/pki/webhookOverlap";
import { ApiServer } from "../support/apiServer";
import { testAnchor } from "../support/certificates";
import { record } from "../support/recorder";

const ADMISSION = "/apis/admissionregistration.k8s.io/v1";
const MUTATING = `${ADMISSION}/mutatingwebhookconfigurations`;

const configuration = (name: string, service: string, caPem: string) => ({
  metadata: {
    name,
    annotations: { "cert-manager.io/inject-ca-from": "linkerd/ca", "linkerd.io/created-by": "linkerd/helm" },
  },
  webhooks: [
    {
      name: `${service}.linkerd.io`,
      clientConfig: {
        caBundle: Buffer.from(caPem).toString("base64"),
        service: { name: service, namespace: "linkerd" },
      },
    },
  ],
});

describe("webhookOverlap", () => {
  const server = new ApiServer();
  const clock = { ...CLOCK };

  before(async () => {
    await server.listen();
    CLOCK.sleep = () => Promise.resolve();
  });
  after(() => {
    server.close();
    Object.assign(CLOCK, clock);
  });

  it("has the API server trust both CAs, takes them from cert-manager's injector, and leaves all else", async () => {
    const [former, next] = [await testAnchor(), await testAnchor()];
    const own = configuration("injector", "linkerd-proxy-injector", former.certPem);
    const other = configuration("other", "another", former.certPem);
    server.answers = {
      [`GET ${MUTATING}`]: { body: { items: [own, other] } },
      [`GET ${ADMISSION}/validatingwebhookconfigurations`]: { body: { items: [] } },
      "GET /apis/apiregistration.k8s.io/v1/apiservices": { body: { items: [] } },
      [`PUT ${MUTATING}/injector`]: { body: own },
    };
    const { hooks } = await record(() => {
      const args = { namespace: "linkerd", services: ["linkerd-proxy-injector"] };
      const cluster = { kubeconfig: server.kubeconfig() };
      webhookOverlap("overlap", { ...args, caPem: pulumi.output(next.certPem), cluster }, {});
    });
    const newInputs = { keepers: { namespace: "linkerd" } };
    await hooks.get("overlap")?.callback({ urn: "", id: "", name: "", type: "", newInputs });

    const written = server.requests.filter(({ line }) => line.startsWith("PUT "));
    assert.deepEqual(
      written.map(({ line }) => line),
      [`PUT ${MUTATING}/injector`],
    );
    const { metadata, webhooks } = JSON.parse(written[0]?.body ?? "") as typeof own;
    assert.deepEqual(metadata.annotations, { "linkerd.io/created-by": "linkerd/helm" });
    const bundle = Buffer.from(webhooks[0]?.clientConfig.caBundle ?? "", "base64").toString();
    for (const { certPem } of [former, next]) assert(bundle.includes(certPem.trim()), bundle);
  });
});
