import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

import { AppsV1Api, CoreV1Api } from "@kubernetes/client-node";
import { parse, stringify } from "yaml";

import { PROJECT } from "../../tools/shared/paths";
import { CommandError, run } from "../../tools/shared/run";
import { pulumiTools } from "../../tools/sandbox/build/pulumi";
import { configuration, succeed } from "../support/command";
import { useSandbox } from "../support/testSandbox";

/** What a checkout has and does not commit. */
const NOT_COMMITTED = [".git", ".sandbox", "node_modules"];

/** Runs `npm run preview:summary -- ARGS...` in a checkout. */
function summary(checkout: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return run(process.execPath, ["--require", "./typescript.cjs", "tools/ci/main.ts", "preview", ...args], {
    cwd: checkout,
    env,
  });
}

describe("the preview that a reviewer reads", () => {
  const sandbox = useSandbox("test-preview");
  let folder = "";
  let out = "";

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "linkerd-mtls-test-"));
    out = join(folder, "preview.md");
    await succeed("up", "--name", sandbox.name);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("tells one more namespace, completely and no more", async () => {
    const api = { name: "api", image: "registry.example.org/api:1.0.0" };
    const namespaces = [
      {
        name: "payments",
        workloads: [
          { name: "api", replicas: 2, ports: [{ name: "http", port: 80 }], podSpec: { containers: [api] } },
        ],
      },
    ];
    const log = await summary(PROJECT, [
      ...["--name", sandbox.name, "--commit", "0123456789abcdef", "--out", out],
      ...configuration({ namespaces }),
    ]);
    const deployments = sandbox.client(AppsV1Api);
    const { spec } = await deployments.readNamespacedDeployment({ namespace: "hello-world", name: "hello" });
    const bundle = spec?.template.metadata?.annotations?.["linkerd-mtls/trust-bundle-sha256"] ?? "";
    const meshed = await sandbox.client(CoreV1Api).readNamespace({ name: "hello-world" });
    const mark = meshed.metadata?.annotations?.["linkerd-mtls/stack"] ?? "";
    assert.match(mark, /^organization\/linkerd-mtls\/dev \w{8}$/);
    const stay = /; (\d+) stay as they are/.exec(await readFile(out, "utf8"))?.[1] ?? "";
    assert.equal(
      await readFile(out, "utf8"),
      `<!-- linkerd-mtls preview: dev -->

### Preview of stack \`dev\` at \`0123456789ab\`

**3 to create**; ${stay} stay as they are.

Restarts no pod. Issues no certificate.

| Order | Change | What | Difference |
| --: | --- | --- | --- |
| 1 | create | \`Namespace payments\` |  |
| 2 | create | \`Deployment payments/api\` |  |
| 2 | create | \`Service payments/api\` |  |

Each waits for those with a lower number that it needs; those with the same number go together.

<details><summary>The objects that are made</summary>

\`\`\`yaml
apiVersion: v1
kind: Namespace
metadata:
  annotations:
    linkerd-mtls/resource: linkerd-payments-namespace
    linkerd-mtls/stack: ${mark}
    linkerd.io/inject: enabled
  labels:
    linkerd-mtls/guarded: "true"
  name: payments
---
apiVersion: apps/v1
kind: Deployment
metadata:
  labels:
    app.kubernetes.io/name: api
  name: api
  namespace: payments
spec:
  replicas: 2
  selector:
    matchLabels:
      app.kubernetes.io/name: api
  template:
    metadata:
      annotations:
        linkerd-mtls/trust-bundle-sha256: ${bundle}
        linkerd.io/inject: enabled
      labels:
        app.kubernetes.io/name: api
    spec:
      containers:
        - image: registry.example.org/api:1.0.0
          lifecycle:
            preStop:
              sleep:
                seconds: 5
          name: api
      terminationGracePeriodSeconds: 35
---
apiVersion: v1
kind: Service
metadata:
  annotations:
    pulumi.com/skipAwait: "true"
  labels:
    app.kubernetes.io/name: api
  name: api
  namespace: payments
spec:
  ports:
    - name: http
      port: 80
  selector:
    app.kubernetes.io/name: api
\`\`\`

</details>

Outputs:

- \`meshedNamespaces[1]\`: \`payments\`
`,
    );
    assert(bundle.length === 64 && Number(stay) > 10, `${bundle} ${stay}`);
    assert.doesNotMatch(log, /plan\.json/);
    const { items } = await sandbox.client(CoreV1Api).listNamespace();
    assert(!items.some(({ metadata }) => metadata?.name === "payments"));
  });

  it("finds drift with the Pulumi CLI and a backend of one's own, and changes nothing", async () => {
    const checkout = join(folder, "checkout");
    await cp(PROJECT, checkout, {
      recursive: true,
      filter: (source) => !NOT_COMMITTED.includes(relative(PROJECT, source)),
    });
    await symlink(join(PROJECT, "node_modules"), join(checkout, "node_modules"));
    // The stack as the sandbox has deployed it, with the state that is encrypted by the salt.
    const stackFile = await readFile(join(sandbox.paths.workspace, "Pulumi.dev.yaml"), "utf8");
    const { encryptionsalt, config } = parse(stackFile) as { encryptionsalt: string; config: object };
    // Without what the last preview was given.
    delete (config as Record<string, unknown>)["linkerd-mtls:namespaces"];
    await writeFile(join(checkout, "Pulumi.dev.yaml"), stringify({ encryptionsalt, config }));
    const { tools } = await pulumiTools();
    const env = {
      ...(tools.home !== undefined && {
        PATH: `${join(tools.home, "bin")}:${process.env.PATH ?? ""}`,
        PULUMI_HOME: tools.home,
      }),
      PULUMI_BACKEND_URL: `file://${sandbox.paths.state}?metadata=skip`,
      PULUMI_CONFIG_PASSPHRASE: await readFile(sandbox.paths.passphrase, "utf8"),
      PULUMI_SKIP_UPDATE_CHECK: "true",
    };
    const drift = ["--cli", "--stack", "dev", "--refresh", "--expect-no-changes", "--out", out];

    await summary(checkout, drift, env);
    assert.match(await readFile(out, "utf8"), /^\*\*No changes\*\*; \d+ stay as they are\.$/m);

    const core = sandbox.client(CoreV1Api);
    await core.deleteNamespacedService({ namespace: "hello-world", name: "world" });
    await assert.rejects(summary(checkout, drift, env), (error: unknown) => {
      assert(error instanceof CommandError);
      assert.match(error.stderr, /error: stack dev differs from what is deployed: 1 changes/);
      return true;
    });
    assert.match(await readFile(out, "utf8"), /^\| 1 \| create \| `Service hello-world\/world` \| {2}\|$/m);
    const { items } = await core.listNamespacedService({ namespace: "hello-world" });
    assert.deepEqual(
      items.map(({ metadata }) => metadata?.name),
      ["hello"],
    );
    assert.equal(
      await readFile(join(checkout, "Pulumi.dev.yaml"), "utf8"),
      stringify({ encryptionsalt, config }),
    );
  });
});
