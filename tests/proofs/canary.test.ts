import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";

import { CoreV1Api, type KubernetesObject } from "@kubernetes/client-node";
import type { EngineEvent, Stack } from "@pulumi/pulumi/automation";
import { parse } from "yaml";

import { ensureNodes } from "../../tools/sandbox/nodes";
import { run } from "../../tools/shared/run";
import { sandboxTarget, type Target } from "../../tools/sandbox/target";
import { withStack } from "../../tools/sandbox/workspace";
import { canaries, occurring } from "../support/canary";
import { testAnchor, testIssuer } from "../support/certificates";
import { TestSandbox, useSandbox } from "../support/testSandbox";

/** The most verbose of Pulumi's logs that quotes no inputs of resources: the engine quotes them from the next level on. */
const QUIET_VERBOSITY = 6;

/** What is not searched below the sandbox: the cluster's own database, and what its nodes mount into pods. */
const CLUSTER = ["etcd", "pods"];

/** What is read of an exported deployment. */
interface Deployment {
  readonly resources?: readonly {
    readonly urn: string;
    readonly type: string;
    readonly outputs?: { readonly privateKeyPem?: { readonly plaintext: string } };
  }[];
}

/** How a command of Pulumi is run. */
interface CommandOptions {
  /** What its outputs are called. Default: its own name. */
  readonly title?: string;
  /** Level of Pulumi's log. */
  readonly verbosity?: number;
  /** Configuration of this command, by full key. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** A place that is searched, and what is there. */
type Place = readonly [name: string, contents: string | Buffer];

/** All files below a folder, but those in some of its folders. */
async function filesBelow(folder: string, without: readonly string[] = []): Promise<Place[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    // The supervisor renames this one at any time.
    .filter((entry) => entry.isFile() && entry.name !== "status.json.new")
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => !without.some((name) => path.startsWith(join(folder, name, "/"))));
  return Promise.all(paths.map(async (path) => [relative(folder, path), await readFile(path)] as const));
}

function size(places: readonly Place[]): string {
  return `${(places.reduce((sum, [, { length }]) => sum + length, 0) / 1e6).toFixed(1)} MB`;
}

/** A stack, and every place where it might leave a key. */
class Watched {
  /** PEMs of all keys that there have been, by name. */
  public readonly keys = new Map<string, string>();
  /** What each command of Pulumi said. */
  private readonly said: Place[] = [];

  public constructor(
    private readonly sandbox: TestSandbox,
    private readonly target: Target,
    private readonly stack: string,
    private readonly temporary: string,
    private readonly config: Readonly<Record<string, unknown>>,
  ) {}

  /** Runs a command of Pulumi as verbosely as may be, and notes all that it said and the keys that there are then. */
  public async command(
    name: "preview" | "up" | "refresh" | "destroy",
    { title, verbosity = QUIET_VERBOSITY, config = {} }: CommandOptions = {},
  ): Promise<void> {
    const said = { stdout: "", stderr: "", events: "" };
    try {
      await this.with(config, (stack) =>
        stack[name]({
          ...{ debug: true, logFlow: true, logToStdErr: true, logVerbosity: verbosity, color: "never" },
          onOutput: (text: string) => (said.stdout += text),
          onError: (text: string) => (said.stderr += text),
          onEvent: (event: EngineEvent) => (said.events += `${JSON.stringify(event)}\n`),
        }),
      );
    } finally {
      for (const [stream, text] of Object.entries(said))
        this.said.push([`${title ?? name}: ${stream}`, text]);
      await this.with({}, async (stack) => {
        this.noteKeys((await stack.exportStack()).deployment as Deployment);
      });
    }
  }

  /** Notes all that can be asked about the stack. */
  public async ask(): Promise<void> {
    await this.with({}, async ({ name, workspace }) => {
      const questions = ["stack export", "stack export --show-secrets", "stack output --json --show-secrets"];
      for (const question of [...questions, "config --json", "stack history --json"]) {
        const args = [...question.split(" "), "--stack", name];
        this.said.push([
          question,
          await run(workspace.pulumiCommand.command, args, {
            cwd: workspace.workDir,
            env: workspace.envVars,
          }),
        ]);
      }
    });
  }

  /** What a command said. */
  public of(name: string): string {
    return String(this.said.find(([place]) => place === name)?.[1]);
  }

  /** The encrypted form of a value, as the stack's file has it. */
  public async encrypt(value: string): Promise<unknown> {
    await this.with({}, (stack) => stack.setConfig("scratch:value", { value, secret: true }));
    const file = join(this.sandbox.paths.workspace, `Pulumi.${this.stack}.yaml`);
    const { config } = parse(await readFile(file, "utf8")) as { config: Record<string, unknown> };
    return config["scratch:value"];
  }

  /** Says where which key is, as "place: key", and how much was searched. */
  public async search(): Promise<string[]> {
    const files = [
      ...(await filesBelow(this.sandbox.paths.root, CLUSTER)),
      ...(await filesBelow(this.temporary)),
    ];
    const objects = await this.objects();
    console.log(
      `      searched for ${this.keys.size} keys in ${this.said.length} outputs of commands (${size(this.said)}), ` +
        `${files.length} files (${size(files)}), ${objects.length} objects (${size(objects)})`,
    );
    const searched = canaries(this.keys);
    return [...this.said, ...files, ...objects]
      .flatMap(([place, contents]) => occurring(contents, searched).map((key) => `${place}: ${key}`))
      .sort();
  }

  private with(
    config: Readonly<Record<string, unknown>>,
    use: (stack: Stack) => Promise<unknown>,
  ): Promise<unknown> {
    const overrides = { ...this.target.overrides, ...this.config, ...config };
    return withStack({ ...this.target, stack: this.stack, overrides }, async (stack) => {
      // Pulumi would start its CLI after each command to read what is asked for elsewhere.
      stack.outputs = () => Promise.resolve({});
      stack.info = () => Promise.resolve(undefined);
      await use(stack);
    });
  }

  private noteKeys({ resources = [] }: Deployment): void {
    const known = new Set(this.keys.values());
    for (const { urn, type, outputs } of resources) {
      if (type !== "tls:index/privateKey:PrivateKey") continue;
      const pem = JSON.parse(outputs?.privateKeyPem?.plaintext ?? "") as string;
      const name = urn.split("::").at(-1) ?? "";
      if (!known.has(pem)) this.keys.set(this.keys.has(name) ? `second ${name}` : name, pem);
    }
  }

  /** Every object of the cluster, of every kind. */
  private async objects(): Promise<Place[]> {
    const kinds = await this.sandbox.kubectl(["api-resources", "--verbs=list", "-o=name"]);
    const json = await this.sandbox.kubectl(["get", kinds.trim().replaceAll("\n", ","), "-A", "-o=json"]);
    const { items } = JSON.parse(json) as { items: KubernetesObject[] };
    return items.map((object) => {
      const { kind, metadata: { namespace, name } = {} } = object;
      return [[kind, namespace, name].filter(Boolean).join(" "), JSON.stringify(object)] as const;
    });
  }
}

/** Files of Pulumi's log whose messages have one of the texts. */
function sourcesOf(log: string, has: (message: string) => boolean): string[] {
  const messages = log.split(/^[IWEF]\d{4} \S+ +\d+ (?=[\w.]+:\d+\] )/m);
  return [...new Set(messages.filter(has).map((message) => message.split(":", 1).join()))];
}

describe("private keys", () => {
  const sandbox = useSandbox("test-canary");
  const usualFolder = process.env.TMPDIR;
  let temporary = "";
  let target: Target;

  before(async () => {
    temporary = await mkdtemp(join(tmpdir(), "linkerd-mtls-test-"));
    process.env.TMPDIR = temporary;
    target = await sandboxTarget(sandbox.name, new AbortController().signal);
  });
  after(async () => {
    if (usualFolder === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = usualFolder;
    await rm(temporary, { recursive: true, force: true });
  });

  /** Brings a stack up, with a failure on the way, and looks at it in every way. */
  async function live(watched: Watched): Promise<void> {
    await watched.command("preview");
    for (const stream of ["stdout", "stderr", "events"]) {
      assert.doesNotMatch(watched.of(`preview: ${stream}`), /RPC prepared: t=tls:/);
    }
    await sandbox.hold("proxy-injector");
    const impatient = { title: "failed up", config: { "linkerd-mtls:gateDeadlineSeconds": 2 } };
    await assert.rejects(watched.command("up", impatient), /pods are not injected/);
    await sandbox.release("proxy-injector");
    await watched.command("up");
    await watched.command("refresh");
    await watched.command("preview", { title: "second preview" });
    await watched.ask();
  }

  /** Secrets that hold a key, and the one question whose answer does. */
  const HELD = [
    "Secret linkerd linkerd-policy-validator-k8s-tls: linkerd-webhooks-linkerd-policy-validator-key",
    "Secret linkerd linkerd-proxy-injector-k8s-tls: linkerd-webhooks-linkerd-proxy-injector-key",
    "Secret linkerd linkerd-sp-validator-k8s-tls: linkerd-webhooks-linkerd-sp-validator-key",
  ];
  const TOLD = [
    "stack export --show-secrets: linkerd-webhooks-linkerd-policy-validator-key",
    "stack export --show-secrets: linkerd-webhooks-linkerd-proxy-injector-key",
    "stack export --show-secrets: linkerd-webhooks-linkerd-sp-validator-key",
    "stack export --show-secrets: linkerd-webhooks-ca-key",
  ];

  it("that are generated are only in the Secrets that need them", async () => {
    const watched = new Watched(sandbox, target, "dev", temporary, {});
    await live(watched);
    const told = [
      ...TOLD,
      "stack export --show-secrets: linkerd-identity-issuer-key",
      "stack export --show-secrets: linkerd-trust-anchor-2026-key",
    ];
    const held = [...HELD, "Secret linkerd linkerd-identity-issuer: linkerd-identity-issuer-key"];
    assert.deepEqual(await watched.search(), [...held, ...told].sort());

    // What is planted is found: in a file, and packed as Helm packs a release.
    const pem = watched.keys.get("linkerd-trust-anchor-2026-key") ?? "";
    const planted = { metadata: { name: "planted", namespace: "default" } };
    const core = sandbox.client(CoreV1Api);
    const release = Buffer.from(gzipSync(pem).toString("base64")).toString("base64");
    await core.createNamespacedSecret({ namespace: "default", body: { ...planted, data: { release } } });
    await writeFile(join(temporary, "planted"), pem);
    assert.deepEqual(
      await watched.search(),
      [
        ...[...held, ...told],
        "Secret default planted: linkerd-trust-anchor-2026-key",
        "planted: linkerd-trust-anchor-2026-key",
      ].sort(),
    );
    await core.deleteNamespacedSecret(planted.metadata);
    await rm(join(temporary, "planted"));

    // One level more, and the engine's planner quotes what it is about to write.
    const reissue = {
      "linkerd-mtls:issuer": { generation: 2 },
      "linkerd-mtls:webhookCertificates": { generation: 2 },
    };
    const louder = { title: "louder up", verbosity: QUIET_VERBOSITY + 1, config: reissue };
    await watched.command("up", louder);
    const all = canaries(watched.keys);
    const sources = sourcesOf(
      watched.of("louder up: stderr"),
      (message) => occurring(message, all).length > 0,
    );
    assert.deepEqual(sources, ["step_generator.go"]);

    await watched.command("destroy");
    const left = (await watched.search()).filter((place) => !place.startsWith("louder up: stderr: "));
    assert.deepEqual(left, told.sort());
  });

  it("that are provided are only in the Secrets that need them", async () => {
    const anchor = await testAnchor();
    const issuer = await testIssuer(anchor);
    const key = await new Watched(sandbox, target, "prod", temporary, {}).encrypt(issuer.keyPem);
    await ensureNodes(target);
    const watched = new Watched(sandbox, target, "prod", temporary, {
      "linkerd-mtls:trustAnchors": [{ id: "2026", certificate: anchor.certPem }],
      "linkerd-mtls:issuerCertificate": issuer.certPem,
      "linkerd-mtls:issuerKey": key,
      "linkerd-mtls:protect": false,
    });
    watched.keys.set("provided issuer", issuer.keyPem).set("provided anchor", anchor.keyPem);
    await live(watched);
    const told = [...TOLD, "stack export --show-secrets: provided issuer"];
    const held = [...HELD, "Secret linkerd linkerd-identity-issuer: provided issuer"];
    assert.deepEqual(await watched.search(), [...held, ...told].sort());
    await watched.command("destroy");
    assert.deepEqual(await watched.search(), told.sort());
  });
});
