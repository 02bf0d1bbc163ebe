import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { CoreV1Api, type KubernetesObject, RbacAuthorizationV1Api } from "@kubernetes/client-node";
import { parse } from "yaml";

import type { Check, Group } from "../../tools/verify/model";
import { testAnchor, type TestCertificate, testIssuer } from "../support/certificates";
import { start, succeed } from "../support/command";
import { eventually } from "../support/eventually";
import { useSandbox } from "../support/testSandbox";
import { grant, kubeconfigOf, writeVerifier } from "../support/verifier";

const HINT = "docs/operations.md#clusters-that-do-not-trust-each-other";
const ROOTS = "linkerd-identity-trust-roots";
/** As the chart of multicluster calls the user of a Link. */
const USER = "linkerd-service-mirror-remote-access-default";
const LINK = { namespace: "linkerd-multicluster", name: "east" };

const FIELDS = Object.fromEntries(
  ["clusterCredentialsSecret", "targetClusterLinkerdNamespace", "targetClusterName"].map((name) => [
    name,
    { type: "string" },
  ]),
);

/** The definition of the chart linkerd-multicluster, in the oldest of its versions, as far as it matters here. */
const DEFINITION = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "links.multicluster.linkerd.io" },
  spec: {
    group: "multicluster.linkerd.io",
    scope: "Namespaced",
    names: { plural: "links", singular: "link", kind: "Link" },
    versions: [
      {
        name: "v1alpha1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties: FIELDS } } },
        },
      },
    ],
  },
} as KubernetesObject;

describe("verify of linked clusters", () => {
  const here = useSandbox("test-links-here");
  const there = useSandbox("test-links-there");
  let verifier = "";
  let [old, added, other]: TestCertificate[] = [];

  const pems = (...anchors: (TestCertificate | undefined)[]) =>
    anchors.map((anchor) => `${anchor?.certPem.trim() ?? ""}\n`).join("");

  /** The objects of a control plane that say what it trusts. */
  async function trust(sandbox: typeof here, bundle: string, issuer?: TestCertificate): Promise<void> {
    const namespace = "linkerd";
    const objects: (KubernetesObject & { readonly data: object })[] = [
      { kind: "ConfigMap", metadata: { namespace, name: ROOTS }, data: { "ca-bundle.crt": bundle } },
      {
        kind: "ConfigMap",
        metadata: { namespace, name: "linkerd-config" },
        data: { values: JSON.stringify({ identityTrustAnchorsPEM: bundle }) },
      },
      ...(issuer === undefined
        ? []
        : [
            {
              kind: "Secret",
              metadata: { namespace, name: "linkerd-identity-issuer" },
              data: { "tls.crt": Buffer.from(issuer.certPem).toString("base64") },
            },
          ]),
    ];
    for (const object of objects) {
      await sandbox
        .objects()
        .patch(
          { apiVersion: "v1", ...object },
          undefined,
          undefined,
          "test",
          true,
          "application/apply-patch+yaml",
        );
    }
  }

  async function links(): Promise<readonly Check[]> {
    const args = ["--kubeconfig", verifier, "--output", "json", "--links"];
    const { output } = await start(args, {}, "tools/verify/main.ts").ended;
    const { groups } = JSON.parse(output) as { groups: Group[] };
    return groups.find(({ group }) => group === "links")?.checks ?? [];
  }

  /** Writes the kubeconfig of a Link. */
  async function credentials(kubeconfig: string): Promise<void> {
    const core = here.client(CoreV1Api);
    const name = `cluster-credentials-${LINK.name}`;
    const { namespace } = LINK;
    await core.deleteNamespacedSecret({ namespace, name }).catch(() => undefined);
    await core.createNamespacedSecret({
      namespace,
      body: { metadata: { name }, type: "mirror.linkerd.io/remote-kubeconfig", stringData: { kubeconfig } },
    });
  }

  before(async () => {
    await Promise.all([here, there].map(({ name }) => succeed("sandbox", "start", "--name", name)));
    [old, added, other] = await Promise.all([testAnchor(), testAnchor(), testAnchor()]);
    for (const sandbox of [here, there]) {
      for (const name of ["linkerd", "linkerd-viz", LINK.namespace]) {
        await sandbox.client(CoreV1Api).createNamespace({ body: { metadata: { name } } });
      }
    }
    await here.objects().create(DEFINITION);

    // The chart's user of a Link may read linkerd-config, and nothing else of this.
    const roles = there.client(RbacAuthorizationV1Api);
    const { namespace } = LINK;
    await there
      .client(CoreV1Api)
      .createNamespacedServiceAccount({ namespace, body: { metadata: { name: USER } } });
    await roles.createClusterRole({
      body: {
        metadata: { name: USER },
        rules: [
          { apiGroups: [""], resources: ["configmaps"], resourceNames: ["linkerd-config"], verbs: ["get"] },
        ],
      },
    });
    await roles.createClusterRoleBinding({
      body: {
        metadata: { name: USER },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: USER },
        subjects: [{ kind: "ServiceAccount", namespace, name: USER }],
      },
    });
    await credentials(await kubeconfigOf(there, namespace, USER));
    await grant(here, "Permissions");
    await grant(here, "Links");
    verifier = await writeVerifier(here);
    const issuer = await testIssuer(old);
    await trust(here, pems(old), issuer);
    await eventually("the Roles hold", 30, () =>
      links().then(
        () => true,
        () => false,
      ),
    );
  });

  it("finds no Link, then one that cannot be asked", async () => {
    assert.deepEqual(await links(), []);
    await here.objects().create({
      apiVersion: "multicluster.linkerd.io/v1alpha1",
      kind: "Link",
      metadata: LINK,
      spec: { targetClusterName: "east", clusterCredentialsSecret: "cluster-credentials-east" },
    } as KubernetesObject);
    const [check] = await links();
    assert.equal(check?.result, "warning");
    assert.match(check.found?.join() ?? "", /cannot be asked: its trust bundle is not there/);
  });

  it("takes an overlap of the bundles, and finds what does not trust the other", async () => {
    const said = async () => {
      const [check] = await links();
      return [
        check?.result,
        check?.note,
        ...(check?.found ?? []),
        ...(check?.hint === undefined ? [] : [check.hint]),
      ];
    };
    const unread = "; its issuer must not be read";
    await trust(there, pems(old, added));
    assert.deepEqual(await said(), ["ok", `1 of 2 anchors in common${unread}`]);
    await trust(there, pems(other));
    const none = "the bundles have no trust anchor in common";
    assert.deepEqual(await said(), ["error", `0 of 2 anchors in common${unread}`, none, HINT]);
    // This cluster has begun to rotate, and the other one has dropped the anchor that still signs here.
    await trust(here, pems(old, added));
    await trust(there, pems(added));
    assert.deepEqual(await said(), [
      "error",
      `1 of 2 anchors in common${unread}`,
      "this cluster's issuer is signed by CN=root.linkerd.cluster.local, which the other cluster does not trust",
      HINT,
    ]);
  });

  it("compares the other cluster's issuer, where the Link's user may read it", async () => {
    await credentials(await readFile(there.paths.kubeconfig, "utf8"));
    assert(old !== undefined && other !== undefined);
    await trust(there, pems(old, other), await testIssuer(other));
    const [check] = await links();
    assert.deepEqual(check?.found, [
      "the other cluster's issuer is signed by CN=root.linkerd.cluster.local, which this cluster does not trust",
    ]);
    await trust(there, pems(old, other), await testIssuer(old));
    assert.deepEqual((await links())[0]?.result, "ok");
  });

  it("runs no program that the kubeconfig of a Secret names", async () => {
    const config = parse(await readFile(there.paths.kubeconfig, "utf8")) as { users: { user: object }[] };
    for (const each of config.users) each.user = { exec: { apiVersion: "v1", command: "false" } };
    await credentials(JSON.stringify(config));
    assert.match((await links())[0]?.found?.join() ?? "", /runs programs or reads files: not used/);
  });
});
