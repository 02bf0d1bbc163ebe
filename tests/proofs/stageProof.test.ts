import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { CoreV1Api } from "@kubernetes/client-node";

import { injectionApi } from "../../components/injection/injectionApi";
import { sandboxTarget } from "../../tools/sandbox/target";
import { eventually } from "../support/eventually";
import { identityEvents } from "../support/identityEvents";
import { StackRuns, type Values } from "../support/stackRuns";
import { useSandbox } from "../support/testSandbox";
import { trustRoots } from "../support/trustBundle";

const STACK: Values = {
  sampleApplications: [],
  namespaces: [
    {
      name: "shop",
      workloads: [{ name: "web", podSpec: { containers: [{ name: "web", image: "web:1" }] } }],
    },
  ],
};

const BOTH = { trustAnchors: [{ id: "old" }, { id: "new" }], signingAnchor: "old" };

describe("what `up` proves of each stage of a rotation", () => {
  const sandbox = useSandbox("test-stage-proof");
  let stack: StackRuns;

  before(async () => {
    const target = await sandboxTarget(sandbox.name, new AbortController().signal);
    stack = new StackRuns(target, STACK);
    await stack.up({ trustAnchors: [{ id: "old" }] });
    await sandbox.deployOther();
  });

  /** Stops the processes of identity, or lets them go on. */
  async function signalIdentity(signal: "SIGSTOP" | "SIGCONT"): Promise<void> {
    const [network = ""] = /127\.\d+\./.exec(await readFile(sandbox.paths.kubeconfig, "utf8")) ?? [];
    const numbers = (await readdir("/proc")).map(Number).filter((number) => number > 0);
    const identities = await Promise.all(
      numbers.map(async (number) => {
        const command = await readFile(`/proc/${number}/cmdline`, "utf8").catch(() => "");
        return command.includes("\0identity\0") && command.includes(`-admin-addr=${network}`) ? [number] : [];
      }),
    );
    assert.notEqual(identities.flat().length, 0);
    for (const number of identities.flat()) process.kill(number, signal);
  }

  const identityPod = async (): Promise<{ readonly name: string; readonly uid: string }> => {
    const { items } = await sandbox.client(CoreV1Api).listNamespacedPod({
      namespace: "linkerd",
      labelSelector: "linkerd.io/control-plane-component=identity",
    });
    const { name = "", uid = "" } = items[0]?.metadata ?? {};
    return { name, uid };
  };

  it("sees that the injector hands out the bundle, and lists the pods that have another", async () => {
    const before = (await trustRoots(sandbox)).data?.["ca-bundle.crt"];
    const output = await stack.up(BOTH);
    assert.match(output, /not every meshed pod has the trust bundle:/);
    assert.match(output, /2 pods have another trust bundle than the mesh has now\. Restart them:/);
    assert.match(output, /kubectl -n others rollout restart deployment\/api {4}# 2 pods/);
    assert.doesNotMatch(output, /rollout restart deployment\/web/);

    const ask = (pem?: string) =>
      injectionApi({ kubeconfig: sandbox.paths.kubeconfig }, "shop", {
        trustBundle: () => Promise.resolve(pem),
      }).dryRun(5000);
    assert.equal((await ask((await trustRoots(sandbox)).data?.["ca-bundle.crt"])).injected, true);
    assert.deepEqual(await ask(before), {
      injected: false,
      reason:
        "the pod got its proxy with another trust bundle, so an injector from before the change answered",
    });
  });

  it("asks nothing in an `up` without changes", async () => {
    const output = await stack.up(BOTH);
    assert.match(output, /Resources:\s+\d+ unchanged\s/);
    assert.doesNotMatch(output, /trust bundle/);
  });

  it("ends only when identity uses the new issuer", async () => {
    await sandbox.restart("others");
    const updates = await identityEvents(sandbox, "IssuerUpdated");
    const output = await stack.up({ ...BOTH, signingAnchor: "new" });
    assert.doesNotMatch(output, /does not use the new issuer/);
    assert.ok((await identityEvents(sandbox, "IssuerUpdated")) > updates);
  });

  it("fails, naming the replica, where identity silently keeps the old issuer", async () => {
    const reissued = { ...BOTH, signingAnchor: "new", issuer: { generation: 2 }, gateDeadlineSeconds: 5 };
    await signalIdentity("SIGSTOP");
    const silent = await stack.failing(reissued);
    assert.match(silent, /identity does not use the new issuer after \d+ tries in \S+ s \(deadline 5 s\):/);
    assert.ok(silent.includes(`${(await identityPod()).name}: no event IssuerUpdated yet`), silent);
    assert.match(silent, /kubectl -n linkerd rollout restart deployment\/linkerd-identity/);

    // What identity then finds is no certificate.
    const secret = ["-n", "linkerd", "patch", "secret", "linkerd-identity-issuer"];
    await sandbox.kubectl([...secret, "-p", '{"stringData":{"tls.crt":"broken"}}']);
    const mounted = join(sandbox.paths.root, "pods", (await identityPod()).uid, "identity-issuer", "tls.crt");
    await eventually(
      "the broken certificate is mounted",
      60,
      async () => (await readFile(mounted, "utf8")) === "broken",
    );
    await signalIdentity("SIGCONT");
    const skipped = await stack.failing(reissued);
    assert.ok(
      skipped.includes(`${(await identityPod()).name}: Skipping issuer update as certs could not be read`),
      skipped,
    );
  });

  it("goes on once identity was restarted", async () => {
    const issuer = { ...BOTH, signingAnchor: "new", issuer: { generation: 3 } };
    await stack.up(issuer);
    assert.match(await stack.up(issuer), /Resources:\s+\d+ unchanged\s/);
  });
});
