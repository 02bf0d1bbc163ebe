import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { CoreV1Api } from "@kubernetes/client-node";
import type { EngineEvent } from "@pulumi/pulumi/automation";
import * as k8s from "@pulumi/kubernetes";
import * as tls from "@pulumi/tls";

import { GUARD_NAME } from "../../components/injection/meshGuard";
import { RULES } from "../../policy/rules";
import { onStack } from "../../tools/sandbox/deploy";
import { ensureNodes } from "../../tools/sandbox/nodes";
import { sandboxTarget, type Target } from "../../tools/sandbox/target";
import { policyPackOf, type PolicyOptions } from "../../tools/shared/policyPack";
import { run } from "../../tools/shared/run";
import { type Ended, start, succeed } from "../support/command";
import { StackRuns, type Values } from "../support/stackRuns";
import { useSandbox } from "../support/testSandbox";

const SHOP = { name: "shop", proxy: { defaultInboundPolicy: "all-authenticated" } };

/** Breaks all rules of stack prod that its configuration can break; the image is no chart's. */
const WEAKENED: Values = {
  protect: false,
  webhookFailurePolicy: "Ignore",
  guardMode: "warn",
  issuanceLifetime: "48h",
  namespaces: [
    {
      name: "shop",
      workloads: [{ name: "web", podSpec: { containers: [{ name: "web", image: "web:latest" }] } }],
    },
  ],
};

/** A resource for each rule that breaks it, and no other rule. */
function badProgram(): Promise<void> {
  const { privateKeyPem } = new tls.PrivateKey("key", { algorithm: "ECDSA", ecdsaCurve: "P256" });
  new tls.SelfSignedCert("long", {
    privateKeyPem,
    isCaCertificate: true,
    validityPeriodHours: 90_000,
    allowedUses: ["cert_signing"],
  });
  new k8s.core.v1.ConfigMap("keys", {
    metadata: { name: "keys", namespace: "default" },
    // Only its first line makes it a key.
    data: { "ca.key": "-----BEGIN EC PRIVATE KEY-----\nsecret\n-----END EC PRIVATE KEY-----\n" },
  });
  new k8s.core.v1.Namespace(
    "meshed",
    { metadata: { name: "meshed", annotations: { "linkerd.io/inject": "enabled" } } },
    { protect: true },
  );
  new k8s.core.v1.Namespace("unprotected", { metadata: { name: "unprotected" } });
  new k8s.core.v1.Pod("floating", {
    metadata: { name: "floating", namespace: "default" },
    spec: { containers: [{ name: "web", image: "web" }] },
  });
  new k8s.admissionregistration.v1.ValidatingAdmissionPolicyBinding("open", {
    metadata: { name: "open" },
    spec: { policyName: GUARD_NAME, validationActions: ["Warn"] },
  });
  return Promise.resolve();
}

const INBOUND =
  "config.linkerd.io/default-inbound-policy must be one of all-authenticated, cluster-authenticated, deny. Set " +
  "proxy.defaultInboundPolicy of its item in linkerd-mtls:namespaces.";
const UNPROTECTED =
  "is not protected, so an update that no longer has it deletes it; it must be. pulumi config set linkerd-mtls:protect true";
const WARNS =
  "does not refuse pods without a proxy; the guard's validationActions must have Deny. pulumi config set linkerd-mtls:guardMode deny";
const LATEST = "it must have a tag other than latest, or a digest. Set it in the workload's podSpec.";
const NO_INBOUND = `Namespace NAME is meshed and has no inbound policy of its own, so that of the whole mesh holds; ${INBOUND}`;

const OF_BAD_PROGRAM = [
  `approved-inbound-policy: ${NO_INBOUND.replace("NAME", "meshed")}`,
  "certificate-lifetimes: SelfSignedCert long makes or holds a CA that signs itself with a validity of 90000 hours; 87600 are " +
    "allowed (anchorHours). Shorten validityHours, duration or issuanceLifetime in the stack's configuration, or issue the " +
    "certificate again.",
  `fail-closed: ValidatingAdmissionPolicyBinding open ${WARNS}`,
  "keys-in-secrets-only: ConfigMap default/keys has a private key in data.ca.key, which is no Secret: everybody who may read the " +
    "object has the key. Put the key into a Secret, refer to that, and issue a new key, because this one has been seen.",
  `pinned-versions: Pod default/floating runs the image web (spec.containers.0.image); ${LATEST}`,
  `protected-in-production: Namespace unprotected ${UNPROTECTED}`,
];

const OF_WEAKENED = [
  `approved-inbound-policy: ${NO_INBOUND.replace("NAME", "shop")}`,
  "certificate-lifetimes: Release linkerd-control-plane-release makes or holds the proxies' certificates with a validity of 48 hours; 24 " +
    "are allowed (proxyHours). Shorten validityHours, duration or issuanceLifetime in the stack's configuration, or issue the " +
    "certificate again.",
  "fail-closed: Release linkerd-control-plane-release lets pods through while the injector does not answer; webhookFailurePolicy must be " +
    "Fail. pulumi config set linkerd-mtls:webhookFailurePolicy Fail",
  `fail-closed: ValidatingAdmissionPolicyBinding ${GUARD_NAME} ${WARNS}`,
  `pinned-versions: Deployment shop/web runs the image web:latest (spec.template.spec.containers.0.image); ${LATEST}`,
  `protected-in-production: Namespace linkerd ${UNPROTECTED}`,
  `protected-in-production: Namespace shop ${UNPROTECTED}`,
];

describe("the policy pack, asked by Pulumi's engine", () => {
  const sandbox = useSandbox("test-policy");
  const production = useSandbox("test-policy-prod");
  let folder = "";
  let target: Target;
  let prod: Target;
  /** All rules only warn, so that the engine goes on to the next resource. */
  let advisory: PolicyOptions;
  const pack: PolicyOptions = { policyPack: "policy" };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "linkerd-mtls-policy-"));
    const settings = join(folder, "advisory.json");
    await writeFile(settings, JSON.stringify({ all: "advisory" }));
    advisory = { ...pack, policyPackConfig: settings };
    const { signal } = new AbortController();
    target = await sandboxTarget(sandbox.name, signal, { tools: ["cert-manager"] });
    prod = await sandboxTarget(production.name, signal);
    await ensureNodes(prod);
  });
  after(() => rm(folder, { recursive: true }));

  /** Previews or deploys it with the pack: how it ended, and each violation once, sorted. */
  async function asked(
    stack: StackRuns,
    name: "preview" | "up",
    values: Values = {},
    policy = pack,
  ): Promise<Ended & { readonly violations: readonly string[] }> {
    const violations = new Set<string>();
    const onEvent = ({ policyEvent }: EngineEvent): void => {
      if (policyEvent === undefined) return;
      const { policyName, message } = policyEvent;
      violations.add(`${policyName}: ${message.trim().split("\n").slice(1).join(" ").trim()}`);
    };
    const ended = await stack.run(name, values, { ...policyPackOf(policy), onEvent });
    assert.match(ended.output, /linkerd-mtls@v[\d.]+ \(local: .*policy\)/);
    return { ...ended, violations: [...violations].sort() };
  }

  async function findsNothing(stack: StackRuns, name: "preview" | "up", values: Values = {}): Promise<void> {
    const { code, output, violations } = await asked(stack, name, values);
    assert.deepEqual(violations, []);
    assert.equal(code, 0, output);
  }

  /** What `npm run policy` says of what `pulumi stack export` writes. */
  async function ofState(of: Target, name: string, ...args: readonly string[]): Promise<Ended> {
    const file = join(folder, "state.json");
    await onStack(of, name, [], async ({ workspace: { pulumiCommand, workDir, envVars } }) => {
      const command = ["stack", "export", "--stack", name, "--file", file];
      await run(pulumiCommand.command, command, { cwd: workDir, env: envVars });
    });
    return start(["--state", file, ...args], {}, "tools/policy/main.ts").ended;
  }

  it("finds one violation of each rule in a bad program, which `up` does not begin to deploy", async () => {
    const bad = new StackRuns(target, {}, "prod", badProgram);
    const preview = await asked(bad, "preview");
    assert.deepEqual(preview.violations, OF_BAD_PROGRAM);
    assert.notEqual(preview.code, 0, preview.output);
    assert.doesNotMatch(preview.output, /PRIVATE KEY/);
    assert.deepEqual(
      OF_BAD_PROGRAM.map((line) => line.split(":")[0]).sort(),
      RULES.map(({ name }) => name).sort(),
    );

    // An update ends with the first one.
    const up = await asked(bad, "up");
    assert.notEqual(up.code, 0, up.output);
    assert.notEqual(up.violations.length, 0);
    assert.deepEqual(
      up.violations.filter((line) => !OF_BAD_PROGRAM.includes(line)),
      [],
    );
    const core = sandbox.client(CoreV1Api);
    const names = [
      ...(await core.listNamespace()).items,
      ...(await core.listNamespacedPod({ namespace: "default" })).items,
      ...(await core.listNamespacedConfigMap({ namespace: "default" })).items,
    ].map(({ metadata }) => metadata?.name ?? "");
    assert.deepEqual(
      names.filter((name) => ["meshed", "unprotected", "floating", "keys"].includes(name)),
      [],
    );
  });

  it("finds nothing in dev, while it is deployed and in its exported state", async () => {
    await findsNothing(new StackRuns(target, {}), "up");
    const { code, output } = await ofState(target, "dev");
    assert.match(output, /^\d\d resources, 6 rules, 0 violations\.\n$/);
    assert.equal(code, 0);
  });

  it("finds nothing in rotating", async () => {
    await succeed("down", "--name", sandbox.name, "--keep");
    await findsNothing(new StackRuns(target, {}, "rotating"), "up");
  });

  it("finds nothing in prod, and all that weakens it once it is deployed", async () => {
    const { code, output } = await start(
      ["--stack", "prod", "--name", production.name, "--anchor-key", join(folder, "anchor.key")],
      {},
      "tools/offlineCa/main.ts",
    ).ended;
    assert.equal(code, 0, output);
    const stack = new StackRuns(prod, { namespaces: [SHOP] }, "prod");
    await findsNothing(stack, "preview");
    await findsNothing(stack, "up");

    const weakened = await asked(stack, "preview", WEAKENED);
    assert.notEqual(weakened.code, 0, weakened.output);
    assert.notEqual(weakened.violations.length, 0);
    assert.deepEqual((await asked(stack, "preview", WEAKENED, advisory)).violations, OF_WEAKENED);
  });

  it("finds the same in the exported state of what was deployed without it", async () => {
    assert.match((await ofState(prod, "prod")).output, / 0 violations\.\n$/);
    await new StackRuns(prod, WEAKENED, "prod").up();
    const { code, output } = await ofState(prod, "prod");
    const lines = output.trim().split("\n");
    assert.match(
      lines.pop() ?? "",
      new RegExp(`^\\d\\d resources, 6 rules, ${OF_WEAKENED.length} violations\\.$`),
    );
    assert.deepEqual(
      lines.sort(),
      OF_WEAKENED.map((line) => `[mandatory] ${line}`),
    );
    assert.equal(code, 1);

    const settings = join(folder, "settings.json");
    await writeFile(settings, JSON.stringify({ "certificate-lifetimes": { proxyHours: 48 } }));
    const allowed = await ofState(prod, "prod", "--policy-pack-config", settings);
    assert.doesNotMatch(allowed.output, /certificate-lifetimes/);
    assert.equal(allowed.code, 1);
  });
});
