import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { certificatesOf } from "../../tools/report/certificates";
import { partsOf } from "../../tools/report/deployment";
import { identitiesOf } from "../../tools/report/identities";
import { namespacesOf } from "../../tools/report/namespaces";
import { page } from "../../tools/report/page";
import { policiesOf } from "../../tools/report/policies";
import { type Material, reportOf } from "../../tools/report/report";
import { rotationOf } from "../../tools/report/rotation";
import { readState } from "../../tools/report/state";
import type { Snapshot } from "../../tools/verify/snapshot";
import { HOSTILE, hostileMaterial, policyObjects, STATE } from "../support/hostileReport";
import {
  healthySnapshot,
  type MeshCertificates,
  meshCertificates,
  meshedPod,
  pod,
} from "../support/verifySnapshot";

const HOUR_MS = 60 * 60 * 1000;

describe("report", () => {
  let certificates: MeshCertificates;
  let healthy: Snapshot;

  before(async () => {
    certificates = await meshCertificates();
    healthy = healthySnapshot(certificates);
  });

  it("has each certificate once, named by what it is for, with its renewal", () => {
    const renewal = new Date(healthy.now.getTime() + HOUR_MS);
    const { rows, unreadable, withSecrets } = certificatesOf({
      ...healthy,
      renewals: { "linkerd/linkerd-identity-issuer": renewal },
    });
    assert.deepEqual(
      rows.map(({ label, signedBy }) => [label, signedBy]),
      [
        ["Trust anchor", "itself"],
        ["Identity issuer", "CN=root.linkerd.cluster.local"],
        ["CA of webhooks", "itself"],
        ...[
          "linkerd/linkerd-proxy-injector",
          "linkerd/linkerd-sp-validator",
          "linkerd/linkerd-policy-validator",
        ]
          .concat("linkerd-viz/tap-injector", "linkerd-viz/tap")
          .map((label) => [label, "CN=webhook-issuer.linkerd"]),
      ],
    );
    const [anchor, issuer] = rows;
    assert.deepEqual([issuer?.renewal, issuer?.isRenewed], [renewal, true]);
    // Of a certificate that nothing renews: 180 days before the end of 1000 days.
    assert.deepEqual(anchor?.renewal, new Date(certificates.anchor.notAfter.getTime() - 180 * 24 * HOUR_MS));
    assert.deepEqual([anchor.isRenewed, anchor.left], [false, "99% of 1000 days"]);
    assert.deepEqual([unreadable, withSecrets], [[], true]);
  });

  it("says that a certificate has expired", () => {
    const now = new Date(certificates.anchor.notAfter.getTime() + HOUR_MS);
    const [anchor] = certificatesOf({ ...healthy, now }).rows;
    assert.deepEqual([anchor?.result, anchor?.left], ["error", "expired"]);
  });

  it("puts the parts of a deployment in their order, and leaves out what follows from others", () => {
    assert.deepEqual(partsOf(STATE), [
      { name: "TrustAnchor", components: 1, resources: 1, waitsFor: [], stage: 1 },
      { name: "LinkerdControlPlane", components: 1, resources: 1, waitsFor: ["TrustAnchor"], stage: 2 },
      { name: "RandomId gate", components: 1, resources: 1, waitsFor: ["LinkerdControlPlane"], stage: 3 },
      { name: "MeshedWorkload", components: 2, resources: 0, waitsFor: ["RandomId gate"], stage: 4 },
    ]);
  });

  it("finds the stages of many parts that wait for all before them", () => {
    const urn = (index: number) =>
      `urn:pulumi:dev::p::linkerd-mtls:index:LinkerdMesh$random:index/randomId:RandomId::${index}`;
    const parts = partsOf(
      Array.from({ length: 40 }, (_, index) => ({
        urn: urn(index),
        dependencies: Array.from({ length: index }, (_, before) => urn(before)),
      })),
    );
    const last = { name: "RandomId 39", components: 1, resources: 1, waitsFor: ["RandomId 38"], stage: 40 };
    assert.deepEqual(parts.at(-1), last);
  });

  it("counts the pods of each namespace by their place, those with pods outside first", () => {
    const done = Object.assign(pod("done"), { status: { phase: "Succeeded" } });
    const pods = [...healthy.pods, pod("web-3"), done];
    const rows = namespacesOf({ ...healthy, pods });
    assert.deepEqual(
      rows.map(({ name, inject, meshed, outside, plain }) => [name, inject, meshed, outside, plain]),
      [
        ["shop", "enabled", 2, 1, 0],
        ["linkerd", "disabled", 0, 0, 0],
        ["plain", undefined, 0, 0, 1],
      ],
    );
    assert.deepEqual(rows[0]?.workloads, [{ owner: "Deployment shop/web", meshed: 2, outside: 1, plain: 0 }]);
  });

  it("names identities as proxies ask for them, and their default policy", () => {
    const withPolicy = meshedPod("open", certificates.anchor);
    withPolicy.spec?.initContainers?.[0]?.env?.push({
      name: "LINKERD2_PROXY_INBOUND_DEFAULT_POLICY",
      value: "all-unauthenticated",
    });
    assert.deepEqual(identitiesOf({ ...healthy, pods: [...healthy.pods, withPolicy] }), {
      identities: [
        {
          identity: "default.shop.serviceaccount.identity.linkerd.cluster.local",
          pods: 3,
          workloads: ["Deployment shop/web"],
        },
      ],
      defaultPolicies: [{ policy: "all-unauthenticated", isOpen: true, pods: 1, namespaces: ["shop"] }],
    });
  });

  it("says who may connect to which port, and which policy selects nothing", () => {
    assert.deepEqual(policiesOf(policyObjects("web"), healthy), {
      servers: [
        { server: "shop/nothing", port: "1", pods: 0, clients: [] },
        { server: "shop/web", port: "8080", pods: 2, clients: ["ServiceAccount edge/front"] },
      ],
      wider: [{ policy: "shop/web", target: "Namespace shop", clients: "everybody" }],
    });
  });

  it("tells the workloads that a rotation rolls from those that their owners must restart", () => {
    const rolled = meshedPod("own", certificates.anchor);
    Object.assign(rolled.metadata ?? {}, {
      annotations: { "linkerd-mtls/trust-bundle-sha256": "1" },
      ownerReferences: [
        { apiVersion: "apps/v1", kind: "StatefulSet", name: "db", uid: "1", controller: true },
      ],
    });
    assert.deepEqual(rotationOf({ ...healthy, pods: [...healthy.pods, rolled] }), [
      {
        owner: "Deployment shop/web",
        pods: 2,
        rolledBy: "others",
        command: "kubectl -n shop rollout restart deployment/web",
      },
      { owner: "StatefulSet shop/db", pods: 1, rolledBy: "stack" },
    ]);
  });

  it("reads a state that was exported and one of a file backend, and refuses another file", async () => {
    const folder = await mkdtemp(join(tmpdir(), "state-"));
    const read = async (contents: string) => {
      const file = join(folder, "state.json");
      await writeFile(file, contents);
      return readState({ name: "none", secrets: true }, file);
    };
    const resources = [{ urn: "urn:a" }];
    assert.deepEqual(await read(JSON.stringify({ version: 3, deployment: { resources } })), resources);
    assert.deepEqual(await read(JSON.stringify({ checkpoint: { latest: { resources } } })), resources);
    await assert.rejects(read("{}"), /state\.json is not the state of a stack/);
    await assert.rejects(read("no"), /the state cannot be read: /);
    assert.equal(await readState({ name: "never-started", secrets: true }, undefined), undefined);
    await rm(folder, { recursive: true });
  });

  describe("the page", () => {
    const render = (material: Partial<Material> = {}): Promise<string> =>
      page(
        reportOf({
          cluster: "prod",
          snapshot: healthy,
          state: STATE,
          ...material,
        }),
      );

    it("has every section, in its order", async () => {
      const html = await render();
      assert.deepEqual(
        [...html.matchAll(/<h2 [^>]*>([^<]*)/g)].map(([, title]) => title),
        [
          ...["Findings", "Certificates", "Deployment", "Namespaces", "Identities and policies"],
          "What a rotation would touch",
        ],
      );
      assert.match(html, /Nothing was found\./);
      assert.equal([...html.matchAll(/<svg/g)].length, 3);
    });

    it("says first what is wrong, and where to read what to do", async () => {
      const html = await render({ snapshot: { ...healthy, pods: [...healthy.pods, pod("web-3")] } });
      assert.match(html, /1 error, 0 warnings/);
      assert.match(html, /Expected: pods that ask for a proxy have one/);
      assert.match(html, /Deployment shop\/web \(1 pod\): the injector did not answer/);
      assert.match(html, /docs\/operations\.md#pods-outside-the-mesh/);
    });

    it("says what it does not know", async () => {
      const snapshot = {
        ...healthy,
        policies: undefined,
        withSecrets: false,
        servers: [],
        mesh: { values: {}, issuerPem: "" },
        pods: [],
      };
      const html = await render({ snapshot, state: undefined });
      assert.match(html, /Secrets were not read/);
      assert.match(html, /no certificate that could be read/);
      assert.match(html, /the order of its deployment is left out/);
      assert.match(html, /Policies were not read: the user must not list them/);
      assert.match(html, /No pod has an identity/);
    });

    it("escapes whatever a cluster says, and has no PEM", async () => {
      const html = await page(reportOf(await hostileMaterial(certificates)));
      assert.doesNotMatch(html, /<script|<img/);
      // The title, the heading, a namespace, owners, an event, policies and a resource of the state.
      assert([...html.matchAll(/&lt;script>/g)].length > 8);
      assert(!html.includes(HOSTILE));
      assert.doesNotMatch(html, /-----BEGIN|PRIVATE KEY/);
    });

    it("folds long tables, and stays small with 100 namespaces and 1,000 pods", async () => {
      const names = Array.from({ length: 100 }, (_, index) => `team-${index}`);
      const pods = names.flatMap((namespace) =>
        Array.from({ length: 10 }, (_, index) => {
          const { initContainers } = meshedPod("proxy", certificates.anchor).spec ?? {};
          return pod(`web-${index}`, { namespace }, { initContainers, serviceAccountName: `web-${index}` });
        }),
      );
      const namespaces = names.map((name) => ({ metadata: { name } }));
      const html = await render({ snapshot: { ...healthy, namespaces, pods } });
      assert.match(html, /<details><summary>Namespaces in the mesh \(100\)<\/summary>/);
      assert.match(html, /<details><summary>Identities \(1000\)<\/summary>/);
      assert(html.length < 1_000_000, `${html.length} bytes`);
    });
  });
});
