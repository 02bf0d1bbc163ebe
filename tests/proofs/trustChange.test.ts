import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { AppsV1Api } from "@kubernetes/client-node";
import { parse, stringify } from "yaml";

import { sandboxTarget, type Target } from "../../tools/sandbox/target";
import { testAnchor } from "../support/certificates";
import { clusterObjects } from "../support/clusterObjects";
import { eventually } from "../support/eventually";
import { identityEvents } from "../support/identityEvents";
import { StackRuns, type Values } from "../support/stackRuns";
import { type TestSandbox, useSandbox } from "../support/testSandbox";
import { pemsOf, trustRoots } from "../support/trustBundle";

/** One anchor, and one workload of the stack. */
const STACK: Values = {
  sampleApplications: [],
  namespaces: [
    {
      name: "shop",
      workloads: [{ name: "web", podSpec: { containers: [{ name: "web", image: "web:1" }] } }],
    },
  ],
  trustAnchors: [{ id: "old" }],
};

const NONE_STAYS = "none of the trust anchors on the cluster stays";
const NOT_TRUSTED = "which proxies that run do not trust yet";
const IN_USE = "the anchor of the issuer in use does not stay";
const ELSEWHERE = "This stack is deployed to another cluster: its namespace kube-system had the uid";

/** The command of a refusal that lets its change through. */
const ACCEPT = /pulumi config set linkerd-mtls:acceptOutage (\S+)/;

/** What a preview or a deployment that changes something prints. */
const CHANGES = /\d+ to (create|update|replace)/;

describe("changes that would cut traffic", () => {
  const sandbox = useSandbox("test-trust-change");
  const other = useSandbox("test-trust-elsewhere");
  let target: Target;
  let stack: StackRuns;

  before(async () => {
    const signal = new AbortController().signal;
    target = await sandboxTarget(sandbox.name, signal);
    await sandboxTarget(other.name, signal);
    stack = new StackRuns(target, STACK);
    await stack.up();
  });

  /** They fail with these words. The value that lets the change through. */
  async function refused(names: readonly ("preview" | "up")[], values: Values, ...words: readonly string[]) {
    let accepted = "";
    for (const name of names) {
      const { code, output } = await stack.run(name, values);
      assert.notEqual(code, 0, output);
      // The console indents, and wraps nothing.
      for (const word of words)
        assert.ok(output.includes(word), `${name} does not print "${word}":\n${output}`);
      assert.doesNotMatch(output, /^\s*at .*:\d+:\d+/m);
      accepted = ACCEPT.exec(output)?.[1] ?? "";
    }
    return accepted;
  }

  /** No object of these clusters changes. */
  async function unchanged(sandboxes: readonly TestSandbox[], action: () => Promise<unknown>): Promise<void> {
    const before = await Promise.all(sandboxes.map(clusterObjects));
    await action();
    assert.deepEqual(await Promise.all(sandboxes.map(clusterObjects)), before);
  }

  const bundle = async (): Promise<string[]> => pemsOf((await trustRoots(sandbox)).data?.["ca-bundle.crt"]);

  it("are refused by a preview and by `up`, which change no object", async () => {
    await unchanged([sandbox], async () => {
      await refused(
        ["preview", "up"],
        { trustDomain: "other.example" },
        "linkerd-mtls:trustDomain must stay cluster.local, which the mesh on this cluster has, but is other.example.",
      );
      await refused(["preview"], { trustAnchors: [{ id: "new" }] }, NONE_STAYS, NOT_TRUSTED, IN_USE);
      const both = { trustAnchors: [{ id: "old" }, { id: "new" }], signingAnchor: "new" };
      await refused(["preview", "up"], both, `the issuer is signed by anchor new, ${NOT_TRUSTED}`);
      const reissued = { trustAnchors: [{ id: "old", generation: 2 }] };
      await refused(["preview", "up"], reissued, NONE_STAYS, NOT_TRUSTED, IN_USE);
      const longer = { trustAnchors: [{ id: "old", validityHours: 99_999 }] };
      await refused(["preview", "up"], longer, NONE_STAYS, NOT_TRUSTED, IN_USE);
      // Its key and its certificate are still there.
      assert.doesNotMatch(await stack.succeed("preview"), CHANGES);
    });
  });

  it("are refused: an older release", async () => {
    const folder = await mkdtemp(join(tmpdir(), "charts-"));
    await cp(String(target.overrides["linkerd-mtls:chartSource"]), folder, { recursive: true });
    const file = join(folder, "linkerd-control-plane", "Chart.yaml");
    const chart = await readFile(file, "utf8");
    await writeFile(file, chart.replace(/^appVersion: .*$/m, "appVersion: edge-22.12.1"));
    const values = { chartSource: folder };
    const accepted = await refused(
      ["preview"],
      values,
      "linkerd-mtls:chartSource must have charts of edge-",
      "or newer, but the charts are of edge-22.12.1.",
    );
    assert.equal(accepted, "edge-22.12.1");
    await stack.succeed("preview", { ...values, acceptOutage: accepted });
    await rm(folder, { recursive: true });
  });

  it("are refused: another cluster behind the same stack, which is told from another CA bundle of the same one", async () => {
    const [own = "", others = ""] = await Promise.all(
      [sandbox, other].map(({ paths }) => readFile(paths.kubeconfig, "utf8")),
    );
    const renewed = parse(own) as { clusters: { cluster: Record<string, string> }[] };
    for (const { cluster } of renewed.clusters) {
      const ca = Buffer.from(cluster["certificate-authority-data"] ?? "", "base64").toString();
      cluster["certificate-authority-data"] = Buffer.from(ca + ca).toString("base64");
    }
    await unchanged([sandbox, other], async () => {
      assert.doesNotMatch(
        await stack.succeed("preview", { "kubernetes:kubeconfig": stringify(renewed) }),
        CHANGES,
      );
      await refused(["preview", "up"], { "kubernetes:kubeconfig": others }, ELSEWHERE);
    });
  });

  it("are refused: an issuer that would outlive what is left to its anchor", async () => {
    const { certPem, keyPem } = await testAnchor({ days: [-400, 100.5 / 24] });
    const change = {
      trustAnchors: [{ id: "old" }, { id: "short", certificate: certPem }],
      signingAnchor: "short",
      trustAnchorKey: keyPem,
    };
    await unchanged([sandbox], async () => {
      const acceptOutage = await refused(["preview"], change, NOT_TRUSTED);
      await refused(
        ["preview", "up"],
        { ...change, acceptOutage },
        "linkerd-mtls:issuer.validityHours must be at most 100, what is left to its trust anchor",
        "pulumi config set --path linkerd-mtls:issuer.validityHours 100",
      );
    });
  });

  it("are let through by their name, which is the name of no other change", async () => {
    const [old] = await bundle();
    await stack.up({ trustAnchors: [{ id: "old" }, { id: "new" }], signingAnchor: "old" });
    const [, next] = await bundle();
    const change = { trustAnchors: [{ id: "new" }], trustDomain: "other.example" };
    const acceptOutage = await refused(["preview"], change, "trustDomain must stay");
    await refused(
      ["preview"],
      { ...change, trustDomain: "third.example", acceptOutage },
      "trustDomain must stay",
    );
    await unchanged([sandbox], () =>
      refused(["up"], { trustAnchors: [{ id: "new" }], acceptOutage }, IN_USE),
    );
    await stack.up({ ...change, acceptOutage });
    assert.deepEqual(await bundle(), [next]);
    assert.notEqual(next, old);

    const api = sandbox.client(AppsV1Api);
    const { spec } = await api.readNamespacedDeployment({ namespace: "shop", name: "web" });
    const annotations = spec?.template.metadata?.annotations ?? {};
    assert.equal(annotations["linkerd-mtls/trust-domain"], "other.example");
    assert.doesNotMatch(await stack.succeed("preview", { ...change, acceptOutage }), CHANGES);
    await refused(["preview"], { trustAnchors: [{ id: "new" }], acceptOutage }, "must stay other.example");
  });

  it("are refused until running pods are ready for them, in each step of a rotation", async () => {
    await sandbox.deployOther();

    // As the test before left it.
    const trustDomain = "other.example";
    const both = { trustDomain, trustAnchors: [{ id: "new" }, { id: "next" }] };
    await stack.up({ ...both, signingAnchor: "new" });
    const switched = { ...both, signingAnchor: "next" };
    await unchanged([sandbox], async () => {
      await refused(
        ["preview", "up"],
        switched,
        "2 pods created without the new trust anchor would refuse each new certificate. Restart them:",
        "kubectl -n others rollout restart deployment/api    # 2 pods",
      );
    });
    await sandbox.restart("others");
    const updates = await identityEvents(sandbox, "IssuerUpdated");
    await stack.up(switched);

    const alone = { trustDomain, trustAnchors: [{ id: "next" }] };
    await eventually(
      "identity uses the new issuer",
      180,
      async () => (await identityEvents(sandbox, "IssuerUpdated")) > updates,
    );
    await unchanged([sandbox], async () => {
      await refused(
        ["preview", "up"],
        alone,
        "created before the issuer changed may have certificates of the anchor that is removed",
        "kubectl -n linkerd rollout restart deployment/linkerd-identity",
        "kubectl -n others rollout restart deployment/api    # 2 pods",
        "kubectl -n shop rollout restart deployment/web    # 1 pod",
      );
    });
    for (const namespace of ["linkerd", "others", "shop"]) await sandbox.restart(namespace);
    await stack.up(alone);
  });
});
