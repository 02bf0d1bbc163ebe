import assert from "node:assert/strict";

import * as pulumi from "@pulumi/pulumi";

import { warnOfRelease } from "../../components/controlPlane/releaseNotes";
import { checkCluster } from "../../components";
import type { LinkerdVersion } from "../../components/controlPlane/version";
import { ApiServer, status } from "../support/apiServer";
import { warningsOf } from "../support/warnings";

const admission = (plural: string): string => `admissionregistration.k8s.io/v1/${plural}`;

describe("the preview of a release", () => {
  const mock = (preview: boolean): Promise<void> =>
    pulumi.runtime.setMocks(
      { newResource: () => ({ id: "", state: {} }), call: () => ({}) },
      "linkerd-mtls",
      "test",
      preview,
    );

  afterEach(() => mock(false));

  async function warnings(
    deployed: string | undefined,
    version: LinkerdVersion,
    preview = true,
  ): Promise<string[]> {
    await mock(preview);
    return warningsOf(() => warnOfRelease(deployed, { version }));
  }

  it("warns of one that Linkerd does not recommend", async () => {
    for (const [version, instead] of [
      ["edge-25.10.5", "edge-25.10.7"],
      ["edge-25.10.6", "edge-25.10.7"],
      ["edge-25.11.2", "edge-25.11.3"],
    ] as const) {
      assert.deepEqual(await warnings(undefined, version), [
        `Linkerd does not recommend ${version}: use ${instead} or newer\n` +
          `    pulumi config set linkerd-mtls:linkerdVersion ${instead}`,
      ]);
      assert.deepEqual(await warnings(undefined, version, false), []);
      assert.deepEqual(await warnings(undefined, instead), []);
    }
  });

  it("names what breaks between the deployed release and the next", async () => {
    assert.deepEqual(await warnings("edge-26.5.1", "edge-26.8.3"), [
      "from edge-26.5.1 to edge-26.8.3 Linkerd changes what may break something:\n" +
        "  edge-26.5.2: proxies of pods that are created are native sidecars, unless told otherwise\n" +
        "  edge-26.5.2: a Server has an effect only on pods of its own namespace\n" +
        "  edge-26.7.1: connections to a Service's port that its spec does not list are refused with a ServiceProfile too",
    ]);
    const [all = ""] = await warnings("edge-24.11.8", "edge-26.8.3");
    assert.equal(all.split("\n").length, 11);
    assert.match(all, /edge-25\.11\.3: linkerd-init runs the proxy's image/);
  });

  it("knows the deployed release from the cluster", async () => {
    const server = new ApiServer();
    await server.listen();
    const lists = [
      "apiextensions.k8s.io/v1/customresourcedefinitions",
      ...["mutatingwebhookconfigurations", "validatingwebhookconfigurations"].map(admission),
      ...["validatingadmissionpolicies", "validatingadmissionpolicybindings"].map(admission),
    ].map((path) => `/apis/${path}`);
    const config = { metadata: {}, data: { values: "linkerdVersion: edge-26.5.1" } };
    server.answers = {
      "GET /api/v1/namespaces/kube-system": { body: { metadata: { uid: "1" } } },
      "GET /api/v1/namespaces/linkerd/configmaps/linkerd-config": { body: config },
      "GET /api/v1/namespaces/linkerd/configmaps/linkerd-identity-trust-roots": status(404, "not found"),
      "GET /api/v1/namespaces/linkerd/secrets/linkerd-identity-issuer": status(404, "not found"),
      "GET /apis/gateway.networking.k8s.io/v1": { body: { resources: [{ name: "httproutes" }] } },
      ...Object.fromEntries(
        ["/api/v1/namespaces", ...lists].map((path) => [`GET ${path}`, { body: { items: [] } }]),
      ),
    };
    const cluster = { kubeconfig: server.kubeconfig(), mark: "test 1" };
    let found: string[];
    try {
      await mock(true);
      found = await warningsOf(() => checkCluster({ cluster, charts: { version: "edge-26.8.3" } }));
    } finally {
      server.close();
    }
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", /^from edge-26\.5\.1 to edge-26\.8\.3 Linkerd changes/);
  });

  it("is silent without a change of the release, for a new mesh, and in a deployment", async () => {
    for (const deployed of ["edge-26.8.3", "edge-26.8.2", "stable-2.14.10", undefined]) {
      assert.deepEqual(await warnings(deployed, "edge-26.8.3"), [], deployed);
    }
    assert.deepEqual(await warnings("edge-26.5.1", "edge-26.8.3", false), []);
  });
});
