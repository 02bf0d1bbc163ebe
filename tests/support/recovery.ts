import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { CoreV1Api, type V1Pod } from "@kubernetes/client-node";

import { isLive } from "../../components/cluster/meshedPods";
import { ownerOf } from "../../components/cluster/podOwner";
import { injectionApi } from "../../components/injection/injectionApi";
import { sandboxTools } from "../../tools/sandbox/build/tools";
import { linkerdCheck } from "../../tools/sandbox/linkerdCheck";
import { sandboxTarget } from "../../tools/sandbox/target";
import type { TestCertificate } from "./certificates";
import { eventually } from "./eventually";
import { issueLeaf, type LeafChain, verifies } from "./identityLeaf";
import { commandsIn, Operator } from "./operator";
import { shorten } from "./shortLived";
import type { TestSandbox } from "./testSandbox";
import { anchorsOf, pemsOf } from "./trustBundle";

/** One workload of the stack; proxies' certificates that end soon. */
const STACK = {
  sampleApplications: [],
  issuanceLifetime: "1m",
  gateDeadlineSeconds: 60,
  trustAnchors: [{ id: "2026" }],
  namespaces: [
    {
      name: "shop",
      workloads: [{ name: "web", podSpec: { containers: [{ name: "web", image: "web:1" }] } }],
    },
  ],
};

/** Namespace of a workload that others deployed. */
const OTHERS = "others";

/** Seconds that a certificate lives which is to expire: it must be deployed by then. */
const SECONDS_TO_LIVE = 120;

/** For so long a recovery may take, beside `up` itself. */
const GREEN_SECONDS = 120;

/** An anchor and an issuer of an offline CA. */
export interface Provided {
  readonly anchor: TestCertificate;
  readonly issuer: TestCertificate;
}

/** Sets them as the program asks for them. */
export const SET_ALL = [
  "pulumi config set --path 'linkerd-mtls:trustAnchors[0].certificate' < ca.crt",
  "pulumi config set linkerd-mtls:issuerCertificate < issuer.crt",
  "pulumi config set --secret linkerd-mtls:issuerKey < issuer.key",
];

/** The files of an offline CA, with the names that the program uses. */
export function filesOf({ anchor, issuer }: Provided): Readonly<Record<string, string>> {
  return { "ca.crt": anchor.certPem, "issuer.crt": issuer.certPem, "issuer.key": issuer.keyPem };
}

/** What was seen of a recovery. */
export interface Row {
  readonly case: string;
  /** What was typed, beside `pulumi preview` and `pulumi up`. */
  readonly typed: number;
  /** From `pulumi up` to a green `linkerd check`. */
  readonly seconds: number;
  /** Workloads with the number of their pods that are new. */
  readonly restarts: string;
}

/** A person with a mesh that somebody else shares, and what happens to it. */
export class Recovery {
  public readonly rows: Row[] = [];

  private constructor(
    private readonly sandbox: TestSandbox,
    public readonly operator: Operator,
  ) {}

  /**
   * Deploys the mesh, and a workload of others into it.
   *
   * @param provided Its anchor and its issuer. Default: they are generated.
   */
  public static async begin(sandbox: TestSandbox, provided?: Provided): Promise<Recovery> {
    const target = await sandboxTarget(sandbox.name, new AbortController().signal, { tools: ["linkerd"] });
    const certificates = provided === undefined ? "generated" : "provided";
    const recovery = new Recovery(sandbox, new Operator(target, { ...STACK, certificates }));
    if (provided !== undefined) {
      await recovery.operator.write(filesOf(provided));
      await recovery.operator.type(...SET_ALL);
    }
    await recovery.succeed("up");
    await recovery.operator.type(
      `kubectl create namespace ${OTHERS}`,
      `kubectl annotate namespace ${OTHERS} linkerd.io/inject=enabled`,
      `kubectl -n ${OTHERS} create deployment api --image=api:1 --replicas=2`,
      `kubectl -n ${OTHERS} rollout status deployment --timeout=60s`,
    );
    assert.deepEqual(await recovery.notGreen(), []);
    return recovery;
  }

  /** Previews or deploys; what was printed. */
  public async succeed(name: "preview" | "up"): Promise<string> {
    const { code, output } = await this.operator.run(name);
    assert.equal(code, 0, output);
    return output;
  }

  /** Lets certificates of the stack expire, by the names of their resources. */
  public async expire(...names: readonly string[]): Promise<void> {
    const end = await this.operator.at((stack) => shorten(stack, names, SECONDS_TO_LIVE));
    const { code, output } = await this.operator.run("preview");
    if (code !== 0) await this.operator.type(...commandsIn(output));
    // Pods of others are restarted as it says.
    const restarts = commandsIn(await this.succeed("up")).filter((command) => command.startsWith("kubectl"));
    await this.operator.type(...restarts);
    assert.ok(new Date() < end, "they have expired before they were deployed");
    await sleep(end.getTime() - Date.now() + 1_000);
    assert.notDeepEqual(await this.notGreen(), []);
  }

  /** Previews and types what was printed until nothing is refused any more; what was typed. */
  public async heed(): Promise<string[]> {
    const typed: string[] = [];
    for (;;) {
      const { code, output } = await this.operator.run("preview");
      const commands = commandsIn(output).filter((command) => !typed.includes(command));
      await this.operator.type(...commands);
      typed.push(...commands);
      if (code === 0) return typed;
      assert.notEqual(commands.length, 0, output);
    }
  }

  /**
   * Has the mesh use provided certificates, of which some end soon, and waits until they have: the program takes none that
   * end within an hour, so they come into the cluster and into the configuration as if time had passed.
   */
  public async expireProvided(provided: Provided): Promise<void> {
    const { operator } = this;
    await operator.write(filesOf(provided));
    const restart = (namespace: string) => [
      `kubectl -n ${namespace} rollout restart deployment`,
      `kubectl -n ${namespace} rollout status deployment --timeout=60s`,
    ];
    await operator.type(
      ...SET_ALL,
      "kubectl -n linkerd create configmap linkerd-identity-trust-roots --from-file=ca-bundle.crt=ca.crt --dry-run=client -o yaml | kubectl replace -f -",
      'kubectl -n linkerd patch secret linkerd-identity-issuer --type merge -p "{\\"data\\":{\\"ca.crt\\":\\"$(base64 -w0 ca.crt)\\",\\"tls.crt\\":\\"$(base64 -w0 issuer.crt)\\",\\"tls.key\\":\\"$(base64 -w0 issuer.key)\\"}}"',
      ...["linkerd", "shop", OTHERS].flatMap(restart),
    );
    const { anchor, issuer } = provided;
    const end = Math.min(anchor.notAfter.getTime(), issuer.notAfter.getTime());
    await sleep(end - Date.now() + 1_000);
    assert.notDeepEqual(await this.notGreen(), []);
  }

  /**
   * Deploys, types what `up` printed, and waits for a green mesh.
   *
   * @param typed What was typed before.
   * @returns What `up` printed.
   */
  public async recover(name: string, typed: readonly string[]): Promise<string> {
    const before = new Set((await this.pods()).map(({ metadata }) => metadata?.uid));
    const began = Date.now();
    const output = await this.succeed("up");
    const commands = commandsIn(output).filter((command) => !typed.includes(command));
    await this.operator.type(...commands);
    let left: readonly string[] = [];
    await eventually("the mesh is green", GREEN_SECONDS, async () => {
      left = await this.notGreen();
      return left.length === 0;
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${left.join("; ")}\n${output}`);
    });
    const seconds = Math.round((Date.now() - began) / 1000);
    const restarts = new Map<string, number>();
    for (const pod of (await this.pods()).filter(({ metadata }) => !before.has(metadata?.uid))) {
      restarts.set(ownerOf(pod), (restarts.get(ownerOf(pod)) ?? 0) + 1);
    }
    const restarted = [...restarts].map(([owner, pods]) => `${owner} ${pods}`).sort();
    this.rows.push({
      case: name,
      typed: typed.length + commands.length,
      seconds,
      restarts: restarted.join(", ") || "none",
    });
    return output;
  }

  /** What keeps the mesh from being green; empty where it is. */
  public async notGreen(): Promise<string[]> {
    const { paths } = this.sandbox;
    const { tools } = await sandboxTools();
    // A category that was not checked is not green.
    const checks = await linkerdCheck(tools, paths.kubeconfig).catch((error: unknown) => String(error));
    const red =
      typeof checks === "string"
        ? [checks]
        : checks.filter(({ result }) => result !== "success").map(({ description }) => description);
    const leaf = await this.leaf().catch(() => undefined);
    // Linkerd's own read the bundle when they start.
    const others = (await this.pods()).filter((pod) => anchorsOf(pod) !== undefined);
    const untrusting = others.filter((pod) => leaf !== undefined && !verifies(leaf, bundleOf(pod)));
    const answer = await injectionApi({ kubeconfig: paths.kubeconfig }, "default", { tap: false }).dryRun(
      5_000,
    );
    return [
      ...red,
      ...(leaf === undefined ? ["identity issues nothing"] : []),
      ...untrusting.map((pod) => `${ownerOf(pod)} does not trust what identity issues`),
      ...(answer.injected ? [] : [answer.reason]),
    ];
  }

  /** A certificate that identity issues now. */
  public leaf(): Promise<LeafChain> {
    return issueLeaf(this.sandbox, "shop");
  }

  /** No pod trusts the anchor under which a certificate was issued, whether that has ended by now or not. */
  public async refuses(chain: LeafChain): Promise<void> {
    const issuer = chain.at(-1) ?? assert.fail("identity gave no certificate");
    for (const pod of await this.pods()) {
      const trusting = bundleOf(pod).filter(({ publicKey }) => issuer.verify(publicKey));
      assert.deepEqual(trusting, [], ownerOf(pod));
    }
  }

  /** The meshed pods, and Linkerd's own. */
  public async pods(): Promise<V1Pod[]> {
    const core = this.sandbox.client(CoreV1Api);
    const { items } = await core.listPodForAllNamespaces({ labelSelector: "linkerd.io/control-plane-ns" });
    return items.filter(isLive);
  }
}

/** The trust anchors that a pod was created with; none of Linkerd's own, which read them when they start. */
function bundleOf(pod: V1Pod): X509Certificate[] {
  return pemsOf(anchorsOf(pod)).map((pem) => new X509Certificate(pem));
}
