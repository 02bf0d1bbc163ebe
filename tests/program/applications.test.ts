import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "yaml";

import { normalizePem, sha256 } from "../../components/certificates/pem";
import { SAMPLE_APPLICATIONS } from "../../apps";
import program from "../../index";
import { assertGolden } from "../support/golden";
import { record, type Recording, type RecordOptions } from "../support/recorder";

type Values = Record<string, unknown>;

/** The `config:` blocks of the documentation. */
function documentedExamples(): Values[] {
  const text = readFileSync(join(__dirname, "..", "..", "docs", "configuration.md"), "utf8");
  const blocks = [...text.matchAll(/^```yaml\n(config:\n.*?)^```/gms)].map(([, block = ""]) => block);
  assert.ok(blocks.length > 0);
  return blocks.map((block) => (parse(block) as { config: Values }).config);
}

describe("applications", () => {
  const run = (values: Values, live: NonNullable<RecordOptions["live"]> = {}): Promise<Recording> =>
    record(program, {
      config: Object.fromEntries(
        Object.entries(values).map(([key, value]) => [`linkerd-mtls:${key}`, JSON.stringify(value)]),
      ),
      live,
    });
  const unlabelled = { metadata: { name: "default" } };
  const podSpec = { containers: [{ name: "app", image: "app:1" }] };

  it("make the namespaces that the configuration reserves for them", async () => {
    for (const application of ["hello-world", "emojivoto", "kuard", "shop"] as const) {
      const recording = await run({ sampleApplications: [application] }, { default: unlabelled });
      const made = recording.resources
        .filter(({ type }) => type === "kubernetes:core/v1:Namespace")
        .map(({ inputs }) => (inputs.metadata as { name: string }).name)
        .filter((name) => name !== "linkerd");
      assert.deepEqual(
        made.toSorted(),
        [...SAMPLE_APPLICATIONS[application].namespaces].toSorted(),
        application,
      );
    }
  });

  it("come from the configuration", async () => {
    const recording = await run(
      {
        namespaces: [
          {
            name: "shop",
            proxy: { opaquePorts: [3306] },
            workloads: [
              { name: "web", replicas: 2, ports: [{ name: "http", port: 80, targetPort: 8080 }], podSpec },
              { name: "agent", kind: "DaemonSet", proxy: { cpuRatioLimit: 0.5 }, podSpec },
              { name: "migration", kind: "Job", podSpec },
              { name: "batch", inject: "disabled", podSpec },
            ],
          },
          { name: "others", inject: "ingress" },
          { name: "plain", inject: "disabled", workloads: [{ name: "web", podSpec }] },
          { name: "default", existing: true, workloads: [{ name: "web", inject: "enabled", podSpec }] },
        ],
      },
      { default: unlabelled },
    );
    const objects = recording.resources
      .filter(
        ({ type, name }) =>
          type.startsWith("kubernetes:") && /^linkerd-(shop|others|plain|default)/.test(name),
      )
      .map(({ type, name, inputs, dependencies, hooks, ignoreChanges }) => ({
        resource: `${type} ${name}`,
        metadata: inputs.metadata,
        spec: inputs.spec,
        after: dependencies.map((urn) => urn.split("::").pop()).sort(),
        gate: hooks.beforeCreate,
        ignoreChanges,
      }))
      .sort((one, other) => (one.resource < other.resource ? -1 : 1));
    const hash = sha256(normalizePem(recording.pems.get("linkerd-trust-anchor-primary-certificate") ?? ""));
    assertGolden(
      "namespaces.resources.yaml",
      JSON.parse(JSON.stringify(objects).replaceAll(hash, "<hash of the trust bundle>")),
    );
    assert.deepEqual((recording.outputs as Record<string, unknown>).meshedNamespaces, ["shop", "others"]);
    assert.deepEqual(recording.reads, ["default"]);
  });

  it("are named so that one more renames no other", async () => {
    const workloads = ["web", "users"].map((name) => ({ name, podSpec }));
    const two = await run({ namespaces: [{ name: "b", workloads }] });
    const three = await run({
      namespaces: [
        { name: "a", workloads },
        { name: "b", workloads: [{ name: "new", podSpec }, ...workloads] },
      ],
    });
    const names = new Set(three.names());
    assert.deepEqual(
      two.names().filter((name) => !names.has(name)),
      [],
    );
    assert.equal(names.size, three.names().length);
  });

  it("are refused by the pod security of an existing namespace, before anything is created", async () => {
    const restricted = {
      metadata: { name: "legacy", labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
    };
    const namespaces = [{ name: "legacy", existing: true, inject: "enabled" }];
    const live = { legacy: restricted, default: { ...restricted } };
    for (const values of [{ namespaces }, { sampleApplications: ["kuard"] }]) {
      await assert.rejects(run(values, live), /kubectl label --overwrite namespace (legacy|default) /);
    }
    const ways: Values[] = [
      { namespaces, cniEnabled: true },
      { sampleApplications: ["kuard"], cniEnabled: true },
      { namespaces: [{ name: "legacy", existing: true, inject: "enabled", podSecurity: "privileged" }] },
      { namespaces: [{ name: "legacy", existing: true, inject: "disabled" }] },
    ];
    for (const values of ways) {
      const recording = await run(values, live);
      assert.deepEqual(recording.reads, []);
    }
  });

  it("need no privileges where the CNI plugin is installed", async () => {
    const recording = await run({
      cniEnabled: true,
      viz: { enabled: true },
      sampleApplications: ["hello-world"],
      namespaces: [{ name: "shop", podSecurity: "restricted" }],
    });
    for (const name of ["linkerd", "linkerd-viz", "linkerd-shop"]) {
      const { labels } = recording.get("Namespace", `${name}-namespace`).inputs.metadata as {
        labels: Record<string, string>;
      };
      assert.equal(labels["pod-security.kubernetes.io/enforce"], "restricted", name);
    }
    const { values } = recording.get("Release", "linkerd-control-plane-release").inputs;
    assert.equal((values as { cniEnabled: boolean }).cniEnabled, true);
  });

  it("leave kube-system alone unless its label is asked for", async () => {
    const patches = (recording: Recording): unknown[] =>
      recording.resources
        .filter(({ type }) => type.endsWith(":NamespacePatch"))
        .map(({ inputs }) => inputs.metadata);
    assert.deepEqual(patches(await run({})), []);
    assert.deepEqual(patches(await run({ labelKubeSystem: true })), [
      { name: "kube-system", labels: { "config.linkerd.io/admission-webhooks": "disabled" } },
    ]);
  });

  for (const [index, example] of documentedExamples().entries()) {
    it(`can be those of example ${index + 1} in docs/configuration.md`, async () => {
      const config = Object.fromEntries(
        Object.entries(example).map(([key, value]) => [
          key,
          typeof value === "string" ? value : JSON.stringify(value),
        ]),
      );
      const recording = await record(program, { config, live: { default: unlabelled } });
      assert.ok(recording.get("RandomId", "linkerd-gate-opened").custom);
    });
  }
});
