import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { EngineEvent } from "@pulumi/pulumi/automation";

import { comment } from "../../tools/ci/preview/comment";
import { type Difference, differences } from "../../tools/ci/preview/differences";
import { order } from "../../tools/ci/preview/order";
import { reportOf } from "../../tools/ci/preview/preview";
import { testCertificate } from "../support/certificates";

const PREVIEWS = join(__dirname, "previews");

/** What the engine told in the sandbox; outputs of resources, and most resources that stay, are left out. */
interface Recorded {
  readonly events: readonly EngineEvent[];
  readonly dependencies: Readonly<Record<"now" | "next", Readonly<Record<string, readonly string[]>>>>;
}

function recorded(name: string): Recorded {
  return JSON.parse(readFileSync(join(PREVIEWS, `${name}.json`), "utf8")) as Recorded;
}

function textOf({ events, dependencies }: Recorded): string {
  const graphs = {
    now: new Map(Object.entries(dependencies.now)),
    next: new Map(Object.entries(dependencies.next)),
  };
  return comment(reportOf(events, graphs, { name: "dev" }));
}

const SECRET = {
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  ciphertext: "[secret]",
};
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const URN = "urn:pulumi:dev::linkerd-mtls";
const STACK = `${URN}::pulumi:pulumi:Stack::linkerd-mtls-dev`;

/** An object of the cluster as the engine tells of it. */
function told(
  operation: string,
  type: string,
  name: string,
  from?: object,
  to?: object,
  paths: string[] = [],
) {
  const urn = `${URN}::kubernetes:${type}::${name}`;
  const state = (inputs: object | undefined) =>
    inputs && { type, urn, custom: true, id: name, parent: STACK, provider: "", inputs, outputs: {} };
  const metadata = {
    op: operation,
    urn,
    type: `kubernetes:${type}`,
    old: state(from),
    new: state(to),
    detailedDiff: Object.fromEntries(paths.map((path) => [path, { diffKind: "update", inputDiff: false }])),
    provider: "",
  };
  return { sequence: 0, timestamp: 0, resourcePreEvent: { metadata } } as unknown as EngineEvent;
}

function textOfEvents(...events: EngineEvent[]): string {
  return comment(reportOf(events, { now: new Map(), next: new Map() }, { name: "dev" }));
}

function metadata(name: string): object {
  return { metadata: { name, namespace: "shop" } };
}

describe("the text of a preview", () => {
  for (const [name, what] of [
    ["reissue", "certificates that are reissued"],
    ["newAnchor", "a second trust anchor, and what rolls for it"],
    ["removal", "what is deleted, in the order of its deletion"],
    ["drift", "what others have deleted and changed"],
  ] as const) {
    it(`tells ${what}`, () => {
      assert.equal(textOf(recorded(name)), readFileSync(join(PREVIEWS, `${name}.md`), "utf8"));
    });
  }

  it("does not depend on the order in which the engine came to things that go together", () => {
    for (const name of ["reissue", "newAnchor", "removal", "drift"]) {
      const { events, dependencies } = recorded(name);
      const isStep = ({ resourcePreEvent }: EngineEvent): boolean => resourcePreEvent !== undefined;
      const backwards = [...events.filter(isStep).reverse(), ...events.filter((event) => !isStep(event))];
      assert.equal(textOf({ events: backwards, dependencies }), textOf({ events, dependencies }));
    }
  });

  it("says that nothing changes, and names the commit", () => {
    const same = told("same", "core/v1:Service", "web", metadata("web"), metadata("web"));
    const report = reportOf(
      [same],
      { now: new Map(), next: new Map() },
      { name: "acme/dev", commit: "0123456789abcdef" },
    );
    assert.equal(
      comment(report),
      [
        "<!-- linkerd-mtls preview: acme/dev -->",
        "### Preview of stack `acme/dev` at `0123456789ab`",
        "**No changes**; 1 stay as they are.\n",
      ].join("\n\n"),
    );
  });

  it("tells a failure with its reason and what was found until then, but no count", () => {
    const failure = (message: string) =>
      ({ diagnosticEvent: { message, color: "never", severity: "error" } }) as EngineEvent;
    const text = textOfEvents(
      told("update", "core/v1:Service", "web", { ...metadata("web"), spec: { a: 1 } }, metadata("web"), [
        "spec",
      ]),
      failure("<{%fg 1%}>the cluster ```cannot``` be reached<{%reset%}>\n"),
      failure("preview failed\n"),
    );
    assert.equal(
      text,
      [
        "<!-- linkerd-mtls preview: dev -->",
        "### Preview of stack `dev`",
        "**The preview failed:**",
        "````text\nthe cluster ```cannot``` be reached\n````",
        "Until then it had found:",
        "Restarts no pod. Issues no certificate.",
        "| Order | Change | What | Difference |\n| --: | --- | --- | --- |\n" +
          "| 1 | update | `Service shop/web` | `spec.a`: `1` removed |",
        "Each waits for those with a lower number that it needs; those with the same number go together.\n",
      ].join("\n\n"),
    );
  });

  it("shows what is made without its secrets, and text as it is", () => {
    const text = textOfEvents(
      told("create", "core/v1:Secret", "token", undefined, { ...metadata("a|b`c"), stringData: SECRET }),
    );
    assert.match(text, /\| 1 \| create \| ``Secret shop\/a\\\|b`c`` \| {2}\|/);
    assert.match(text, /\nstringData: \(secret\)\n/);
    assert.doesNotMatch(text, /4dabf181|ciphertext/);
  });

  it("shows whatever comes from a value as code, which nobody is notified or misled by", () => {
    const hostile = [
      "(@octocat)",
      "([click](https://example.com))",
      "(<img src=x>) <!-- -->",
      "(secret) @octocat",
      "| a \\| b |",
      "`@octocat` ``",
      "line\r\n\r\n# @octocat",
    ];
    const plain = hostile.map((text) => {
      const spec = (value: string): object => ({ ...metadata(text), spec: { [text]: value } });
      const outputs = (value: string): object => ({
        type: "pulumi:pulumi:Stack",
        outputs: { [text]: value },
      });
      const counter = `${URN}::random:index:RandomId::${text}`;
      return textOfEvents(
        told("update", "core/v1:Service", "web", spec("a"), spec(text), ["spec"]),
        told("update", "core/v1:Service", "api", spec(text), metadata(text), ["spec"]),
        told("replace", "batch/v1:Job", "seed", metadata(text), metadata(text)),
        told("create", "core/v1:Secret", "token", undefined, spec(text)),
        {
          resourcePreEvent: {
            metadata: { op: "create", urn: counter, type: "random:index:RandomId", new: { custom: true } },
          },
        } as unknown as EngineEvent,
        {
          resOutputsEvent: { metadata: { ...outputs(""), old: outputs("a"), new: outputs(text) } },
        } as unknown as EngineEvent,
        { diagnosticEvent: { severity: "warning", message: `a ${text}` } } as EngineEvent,
      )
        .replaceAll(/^(`{3,})\w+\n[^]*?\n\1$/gm, "(block)")
        .replaceAll(/(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)/g, "(code)");
    });
    assert.equal(new Set(plain).size, 1, plain.join("\n\n"));
    assert.equal(
      plain[0],
      [
        "<!-- linkerd-mtls preview: dev -->",
        "### Preview of stack (code)",
        "**Warning:**\n\n(block)",
        "**2 to create, 1 to replace, 2 to update**; 0 stay as they are.",
        "Restarts pods of (code) (replaced, it runs again). Issues no certificate.",
        "| Order | Change | What | Difference |\n| --: | --- | --- | --- |\n" +
          "| 1 | create | (code) | (code) |\n| 1 | replace | (code) |  |\n| 1 | create | (code) |  |\n" +
          "| 1 | update | (code) | (code): (code) → (code) |\n| 1 | update | (code) | (code): (code) removed |",
        "Each waits for those with a lower number that it needs; those with the same number go together.",
        "<details><summary>The objects that are made</summary>\n\n(block)\n\n</details>",
        "Outputs:\n\n- (code): (code) → (code)\n",
      ].join("\n\n"),
    );
  });

  it("shows of a release that is made what was chosen, not what the provider fills in", () => {
    const chosen = { chart: "crds", name: "linkerd-crds", timeout: 600, values: { viz: false, name: "" } };
    const text = textOfEvents(
      told("create", "helm.sh/v3:Release", "crds", undefined, {
        ...{ atomic: false, keyring: "", skipAwait: false },
        ...chosen,
      }),
    );
    const yaml = 'chart: crds\nname: linkerd-crds\ntimeout: 600\nvalues:\n  viz: false\n  name: ""';
    assert(text.includes(`\`\`\`yaml\n${yaml}\n\`\`\``), text);
  });

  it("tells that the contents of a Secret change where the engine hides even which", () => {
    const secret = { ...metadata("issuer"), data: SECRET };
    const text = textOfEvents(told("update", "core/v1:Secret", "issuer", secret, secret));
    assert.match(text, /\| 1 \| update \| `Secret shop\/issuer` \| `data`: \(secret\) \|/);
  });

  it("names the workloads that are restarted, and why", () => {
    const restarts = (type: string, paths: string[]): string => {
      const inputs = (value: number): object => ({
        ...metadata("web"),
        spec: {
          replicas: value,
          template: {
            metadata: {
              annotations: { "linkerd-mtls/trust-bundle-sha256": value, "linkerd-mtls/tap": value },
            },
            spec: { a: value },
          },
        },
        values: { identityTrustAnchorsPEM: value, proxy: value },
      });
      const text = textOfEvents(told("update", type, "web", inputs(1), inputs(2), paths));
      return /^Restarts.*?\.(?= )/m.exec(text)?.[0] ?? text;
    };
    const annotation = (name: string): string => `spec.template.metadata.annotations["linkerd-mtls/${name}"]`;
    assert.equal(restarts("apps/v1:Deployment", ["spec.replicas"]), "Restarts no pod.");
    assert.equal(
      restarts("apps/v1:StatefulSet", [annotation("tap"), "spec.template.spec.a"]),
      "Restarts pods of `StatefulSet shop/web` (tap, pod template).",
    );
    assert.equal(
      restarts("apps/v1:DaemonSet", [annotation("trust-bundle-sha256")]),
      "Restarts pods of `DaemonSet shop/web` (trust bundle).",
    );
    assert.equal(restarts("batch/v1:CronJob", ["spec.template.spec.a"]), "Restarts no pod.");
    assert.equal(
      restarts("helm.sh/v3:Release", ["values"]),
      "Restarts pods of `Helm release shop/web` (trust bundle).",
    );
    assert.equal(
      restarts("helm.sh/v3:Release", ["values.proxy"]),
      "Restarts pods of `Helm release shop/web` (what its chart changes).",
    );
    assert.match(
      textOfEvents(told("replace", "batch/v1:Job", "seed", metadata("seed"), metadata("seed"))),
      /^Restarts pods of `Job shop\/seed` \(replaced, it runs again\)\./m,
    );
  });

  it("stays below what GitHub takes, and says what it leaves out", () => {
    const events = Array.from({ length: 2000 }, (_, index) => {
      const name = `service-${String(index).padStart(4, "0")}`;
      return told("create", "core/v1:Service", name, undefined, {
        ...metadata(name),
        spec: { text: "x".repeat(99) },
      });
    });
    const text = textOfEvents(...events);
    assert(text.length < 65_536, String(text.length));
    assert.match(text, /\*\*2000 to create\*\*/);
    const rows = text.match(/^\| 1 \|/gm)?.length ?? 0;
    assert(rows > 100, String(rows));
    assert.match(text, new RegExp(`^${2000 - rows} more are in the log\\.$`, "m"));
    assert.match(text, /The first \d+ of the 2000 objects that are made/);
  });

  it("stays below it with many errors, of which the log has the rest", () => {
    const errors = Array.from({ length: 20 }, (_, index) => `error ${index}: ${"x".repeat(9_999)}`);
    const events = errors.map(
      (message) => ({ diagnosticEvent: { severity: "error", message } }) as EngineEvent,
    );
    const text = textOfEvents(...events);
    assert(text.length < 65_536, String(text.length));
    for (const message of errors)
      assert(text.includes(`${message.slice(0, 400)}...\nThe rest is in the log.`));
  });
});

describe("the differences of a resource", () => {
  const found = (paths: string[], from: object, to: object): Difference[] => differences(paths, from, to);

  it("are told property by property, below the path that the engine names", () => {
    assert.deepEqual(
      found(
        ["values", 'metadata.annotations["linkerd.io/inject"]', "spec.ports[1].port"],
        {
          values: { same: 1, list: ["a", "b"], gone: true, deep: { "a.b": 1 } },
          metadata: { annotations: {} },
          spec: { ports: [{ port: 1 }, { port: 2 }] },
        },
        {
          values: { same: 1, list: ["a", "c", "d"], deep: { "a.b": 2 } },
          metadata: { annotations: { "linkerd.io/inject": "enabled" } },
          spec: { ports: [{ port: 1 }, { port: 3 }] },
        },
      ),
      [
        { path: 'values.deep["a.b"]', from: "1", to: "2" },
        { path: "values.gone", from: "true" },
        { path: "values.list[1]", from: "b", to: "c" },
        { path: "values.list[2]", to: "d" },
        { path: 'metadata.annotations["linkerd.io/inject"]', to: "enabled" },
        { path: "spec.ports[1].port", from: "2", to: "3" },
      ],
    );
  });

  it("leave out secrets beside which something else differs, and what does not differ", () => {
    assert.deepEqual(
      found(["values"], { values: { a: 1, key: SECRET } }, { values: { a: 2, key: SECRET } }),
      [{ path: "values.a", from: "1", to: "2" }],
    );
    assert.deepEqual(found(["version"], { version: "" }, { version: "" }), []);
  });

  it("name a secret that the engine names, or that alone can differ, without its value", () => {
    const secret = { from: "(secret)", to: "(secret)" };
    assert.deepEqual(found(["key"], { key: SECRET }, { key: SECRET }), [{ path: "key", ...secret }]);
    assert.deepEqual(found(["a"], { a: { key: SECRET } }, { a: { key: SECRET } }), [
      { path: "a.key", ...secret },
    ]);
    assert.deepEqual(found(["key"], { key: "plain" }, { key: SECRET }), [
      { path: "key", from: "plain", to: "(secret)" },
    ]);
  });

  it("tell what only the update knows, certificates by their fingerprints, and long text by its beginning", async () => {
    const { certPem } = await testCertificate("root.linkerd.cluster.local");
    const [, second] = found(
      ["a", "pem", "text"],
      { a: "old", text: "b" },
      { a: UNKNOWN, pem: `${certPem}\n${certPem}\n`, text: "x".repeat(81) },
    );
    assert.match(
      second?.to ?? "",
      /^certificate ([0-9A-F]{2}:){3}[0-9A-F]{2} certificate ([0-9A-F]{2}:){3}[0-9A-F]{2}$/,
    );
    assert.deepEqual(found(["a", "text"], { a: "old", text: "b" }, { a: UNKNOWN, text: "x".repeat(81) }), [
      { path: "a", to: "(known during the update)" },
      { path: "text", from: "b", to: `${"x".repeat(80)}...` },
    ]);
  });

  it("show a fingerprint as a whole, because it is compared", () => {
    const [from, to] = ["AB", "CD"].map((pair) => Array<string>(32).fill(pair).join(":"));
    assert.deepEqual(found(["fingerprint"], { fingerprint: from }, { fingerprint: to }), [
      { path: "fingerprint", from, to },
    ]);
  });
});

describe("the order of changes", () => {
  const dependencies = new Map([
    ["b", ["unchanged"]],
    ["unchanged", ["a"]],
    ["c", ["a", "b"]],
    ["x", ["y"]],
    ["y", ["x"]],
  ]);

  it("follows dependencies, through what does not change too", () => {
    assert.deepEqual(order([["c"], ["b"], ["a"], ["other"]], dependencies), [3, 2, 1, 1]);
    assert.deepEqual(order([["c", "b"], ["a"]], dependencies), [2, 1]);
  });

  it("ends where changes wait for each other", () => {
    assert.equal(Math.max(...order([["x"], ["y"]], dependencies)), 2);
  });
});
