import { X509Certificate } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { AppsV1Api, CoreV1Api, type V1Pod } from "@kubernetes/client-node";

import { CONTROL_PLANE_WEBHOOKS } from "../../components";
import { isLive } from "../../components/cluster/meshedPods";
import { helmTool } from "../../tools/sandbox/build/helm";
import { sandboxTools } from "../../tools/sandbox/build/tools";
import { PROJECT } from "../../tools/shared/paths";
import { run } from "../../tools/shared/run";
import { ensureNodes } from "../../tools/sandbox/nodes";
import { sandboxTarget } from "../../tools/sandbox/target";
import { Admissions } from "./admissions";
import { testAnchor, type TestCertificate, testCertificate, testIssuer } from "./certificates";
import { eventually } from "./eventually";
import { issueLeaf, type LeafChain, verifies } from "./identityLeaf";
import type { TestSandbox } from "./testSandbox";
import { anchorsOf, pemsOf } from "./trustBundle";

/** Namespaces of the applications, with five workloads each, that no stack deployed. */
export const APPLICATIONS = ["bank", "shop"];
const WORKLOADS = ["one", "two", "three", "four", "five"];

/** Milliseconds between two dry runs of a pod. */
const INTERVAL = 100;

const manifest = (objects: readonly object[]): string =>
  objects.map((object) => JSON.stringify(object)).join("\n---\n");

/** The applications' namespaces as a manifest. */
const NAMESPACES = manifest(
  APPLICATIONS.map((name) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, annotations: { "linkerd.io/inject": "enabled" } },
  })),
);

/** The applications' workloads as a manifest. */
const DEPLOYMENTS = manifest(
  APPLICATIONS.flatMap((namespace) =>
    WORKLOADS.map((name) => ({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { namespace, name },
      spec: {
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name } },
          spec: { containers: [{ name, image: `${name}:1` }] },
        },
      },
    })),
  ),
);

/** Installs Linkerd with the script of the benchmark, openssl and `helm install --wait`, and the applications. */
export async function installByScript(sandbox: TestSandbox): Promise<void> {
  const { tools } = await sandboxTools();
  const { tools: helm } = await helmTool();
  const folder = join(sandbox.paths.root, "others");
  await mkdir(folder, { recursive: true });
  const namespaces = join(folder, "namespaces.yaml");
  await writeFile(namespaces, NAMESPACES);
  await run("bash", [join(PROJECT, "tools/bench/script.sh")], {
    env: {
      PATH: [dirname(helm), dirname(tools.kubectl), process.env.PATH].join(delimiter),
      KUBECONFIG: sandbox.paths.kubeconfig,
      CHARTS: tools.charts,
      APPLICATIONS: namespaces,
      NAMESPACES: "linkerd",
      WAIT: "yes",
      RESTART: "no",
    },
  });
  await deployApplications(sandbox);
}

/** How often each Deployment of Linkerd was rolled out, by its name. */
export type Rollouts = Readonly<Record<string, number>>;

/** Installs Helm's release of a chart of Linkerd. */
async function helmInstall(
  sandbox: TestSandbox,
  chart: string,
  namespace: string,
  values: object,
  ...args: readonly string[]
): Promise<void> {
  const { tools } = await sandboxTools();
  const { tools: helm } = await helmTool();
  const to = ["--namespace", namespace, "--create-namespace", "--wait", ...args, "--values", "-"];
  await run(helm, ["install", chart, join(tools.charts, chart), ...to], {
    env: { KUBECONFIG: sandbox.paths.kubeconfig },
    input: JSON.stringify(values),
  });
}

/** The same as {@link installByScript}, with viz. */
export async function installWithViz(sandbox: TestSandbox): Promise<void> {
  await installByScript(sandbox);
  await helmInstall(sandbox, "linkerd-viz", "linkerd-viz", {});
}

/** Seconds that a certificate of a proxy lives where {@link installWithValues} has installed Linkerd. */
export const SHORT_LIFETIME = 60;

/** Installs Linkerd with high availability, opaque ports and images of another registry, and the applications. */
export async function installWithValues(sandbox: TestSandbox): Promise<void> {
  const { tools } = await sandboxTools();
  await ensureNodes(await sandboxTarget(sandbox.name, new AbortController().signal));
  const anchor = await testAnchor();
  const { certPem, keyPem } = await testIssuer(anchor);
  const registry = "registry.example.org/linkerd";
  const values = {
    identityTrustAnchorsPEM: anchor.certPem,
    identity: {
      issuer: { issuanceLifetime: `${SHORT_LIFETIME}s`, tls: { crtPEM: certPem, keyPEM: keyPem } },
    },
    controllerImage: `${registry}/controller`,
    proxy: { image: { name: `${registry}/proxy` }, opaquePorts: "25,9000-9010" },
  };
  const highAvailability = join(tools.charts, "linkerd-control-plane", "values-ha.yaml");
  await helmInstall(sandbox, "linkerd-crds", "linkerd", {});
  await helmInstall(sandbox, "linkerd-control-plane", "linkerd", values, "--values", highAvailability);
  await deployApplications(sandbox);
}

/** As Linkerd's documentation has cert-manager issue the issuer and the webhooks' certificates. */
function certManagerObjects(anchor: TestCertificate, webhookCa: TestCertificate): string {
  const metadata = (name: string) => ({ namespace: "linkerd", name });
  const secret = (name: string, { certPem, keyPem }: TestCertificate) => ({
    ...{ apiVersion: "v1", kind: "Secret", metadata: metadata(name), type: "kubernetes.io/tls" },
    stringData: { "tls.crt": certPem, "tls.key": keyPem },
  });
  const certManager = (kind: string, name: string, spec: object) => ({
    ...{ apiVersion: "cert-manager.io/v1", kind, metadata: metadata(name), spec },
  });
  const privateKey = { algorithm: "ECDSA", encoding: "PKCS8", rotationPolicy: "Always" };
  const webhooks = CONTROL_PLANE_WEBHOOKS.map((service) =>
    certManager("Certificate", service, {
      ...{ secretName: `${service}-k8s-tls`, duration: "24h", renewBefore: "1h", privateKey },
      issuerRef: { name: "webhook-issuer", kind: "Issuer" },
      commonName: `${service}.linkerd.svc`,
      dnsNames: [`${service}.linkerd.svc`],
      usages: ["server auth"],
    }),
  );
  return manifest([
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "linkerd" } },
    secret("linkerd-trust-anchor", anchor),
    secret("webhook-issuer-tls", webhookCa),
    certManager("Issuer", "linkerd-trust-anchor", { ca: { secretName: "linkerd-trust-anchor" } }),
    certManager("Issuer", "webhook-issuer", { ca: { secretName: "webhook-issuer-tls" } }),
    certManager("Certificate", "linkerd-identity-issuer", {
      ...{ secretName: "linkerd-identity-issuer", duration: "48h", renewBefore: "25h", isCA: true },
      issuerRef: { name: "linkerd-trust-anchor", kind: "Issuer" },
      commonName: "identity.linkerd.cluster.local",
      dnsNames: ["identity.linkerd.cluster.local"],
      privateKey: { algorithm: "ECDSA" },
      usages: ["cert sign", "crl sign", "server auth", "client auth"],
    }),
    ...webhooks,
  ]);
}

/** Installs cert-manager, Linkerd with certificates that it issues, and the applications. */
export async function installWithCertManager(sandbox: TestSandbox): Promise<void> {
  const { tools } = await sandboxTools(["cert-manager"]);
  const { tools: helm } = await helmTool();
  const env = { KUBECONFIG: sandbox.paths.kubeconfig };
  const kubectl = (args: readonly string[], input?: string): Promise<string> =>
    run(tools.kubectl, args, { env, input });
  const to = ["--namespace", "cert-manager", "--create-namespace", "--wait", "--set", "installCRDs=true"];
  await run(helm, ["install", "cert-manager", join(tools.certManagerCharts, "cert-manager"), ...to], { env });
  const anchor = await testAnchor();
  const webhookCa = await testCertificate("webhook-issuer.linkerd.of-others");
  await eventually("cert-manager's webhook answers", 120, () =>
    kubectl(["apply", "-f", "-"], certManagerObjects(anchor, webhookCa)).then(
      () => true,
      () => false,
    ),
  );
  await kubectl(["-n", "linkerd", "wait", "--for=condition=Ready", "certificate", "--all", "--timeout=120s"]);
  const webhook = { externalSecret: true, caBundle: webhookCa.certPem };
  await helmInstall(sandbox, "linkerd-crds", "linkerd", {});
  await helmInstall(sandbox, "linkerd-control-plane", "linkerd", {
    identityTrustAnchorsPEM: anchor.certPem,
    identity: { issuer: { scheme: "kubernetes.io/tls" } },
    ...{ proxyInjector: webhook, profileValidator: webhook, policyValidator: webhook },
  });
  await deployApplications(sandbox);
}

/** Deploys the applications once their pods are injected, because this mesh has no guard, and waits for them. */
async function deployApplications(sandbox: TestSandbox): Promise<void> {
  const { tools } = await sandboxTools();
  const kubectl = (args: readonly string[], input?: string): Promise<string> =>
    run(tools.kubectl, args, { env: { KUBECONFIG: sandbox.paths.kubeconfig }, input });
  await kubectl(["apply", "-f", "-"], NAMESPACES);
  for (const namespace of APPLICATIONS) await sandbox.injects(namespace);
  await kubectl(["apply", "-f", "-"], DEPLOYMENTS);
  for (const namespace of APPLICATIONS) await kubectl(["-n", namespace, "rollout", "status", "deployment"]);
}

/** Installs Linkerd with its command-line tool, which makes its certificates, and then the applications. */
export async function installByCli(sandbox: TestSandbox): Promise<void> {
  const { tools } = await sandboxTools();
  const env = { KUBECONFIG: sandbox.paths.kubeconfig };
  const linkerd = (...args: string[]): Promise<string> =>
    run(tools.linkerd, args, { cwd: tools.linkerdSources, env });
  const kubectl = (args: readonly string[], input?: string): Promise<string> =>
    run(tools.kubectl, args, { env, input });
  await kubectl(["apply", "-f", "-"], await linkerd("install", "--crds"));
  await kubectl(["apply", "-f", "-"], await linkerd("install", "--ignore-cluster"));
  await kubectl(["-n", "linkerd", "rollout", "status", "deployment"]);
  await deployApplications(sandbox);
}

/** What a mesh went through while something was done to it. */
export interface Watched {
  readonly dryRuns: Admissions;
  /** Pairs of a certificate that identity issued and the bundle of a pod. */
  readonly verified: number;
  readonly failed: number;
}

/** Watches a mesh: certificates of the real identity service, dry runs of pods, pods and Deployments. */
export class MeshWatch {
  private readonly leaves: { readonly chain: LeafChain; readonly issued: Date }[] = [];
  private verified = 0;
  private failed = 0;

  public constructor(private readonly sandbox: TestSandbox) {}

  /** Creates pods as dry runs and issues certificates all the while. */
  public async during(work: () => Promise<unknown>): Promise<Watched> {
    [this.verified, this.failed] = [0, 0];
    await this.verifyOnce();
    const watched = async (admissions: Admissions): Promise<void> => {
      const done = work().then(() => true);
      // While identity itself is rolled out, nobody answers for a moment.
      while (!(await Promise.race([done, sleep(1_000, false)]))) await this.verify().catch(() => undefined);
      await admissions.another();
    };
    const where = { sandbox: this.sandbox, namespace: APPLICATIONS[0] ?? "", dryRun: "All" as const };
    const dryRuns = await Admissions.during(watched, where, INTERVAL);
    await this.verifyOnce();
    const { verified, failed } = this;
    console.log(
      `      dry runs: ${dryRuns.injected} meshed, ${dryRuns.refused} refused, ${dryRuns.unexpected.length} other; ` +
        `pairs of certificate and bundle: ${verified} verified, ${failed} failed`,
    );
    return { dryRuns, verified, failed };
  }

  /** Tries until identity answers: a pod of it that was created just now is ready before it listens. */
  private async verifyOnce(): Promise<void> {
    await eventually("identity issues certificates", 60, () =>
      this.verify().then(
        () => true,
        () => false,
      ),
    );
  }

  /**
   * A new certificate of each namespace, and every one so far that a pod can have: it is valid, and a pod runs that was
   * created before it. Under the bundle of every pod that runs.
   */
  private async verify(): Promise<void> {
    for (const namespace of APPLICATIONS) {
      this.leaves.push({ chain: await issueLeaf(this.sandbox, namespace), issued: new Date() });
    }
    const now = new Date();
    const pods = await this.pods();
    const oldest = Math.min(...pods.map(({ metadata }) => metadata?.creationTimestamp?.getTime() ?? 0));
    const held = this.leaves.filter(
      ({ chain: [leaf], issued }) => new Date(leaf.validTo) > now && issued.getTime() >= oldest,
    );
    const bundles = pods.map((pod) => anchorsOf(pod));
    for (const text of new Set(bundles)) {
      const { length } = bundles.filter((other) => other === text);
      const bundle = pemsOf(text).map((pem) => new X509Certificate(pem));
      for (const { chain } of held) {
        if (verifies(chain, bundle, now)) this.verified += length;
        else this.failed += length;
      }
    }
  }

  /** Pods of the applications. */
  private async pods(): Promise<V1Pod[]> {
    const { items } = await this.sandbox
      .client(CoreV1Api)
      .listPodForAllNamespaces({ labelSelector: "linkerd.io/control-plane-ns" });
    return items.filter((pod) => isLive(pod) && APPLICATIONS.includes(pod.metadata?.namespace ?? ""));
  }

  /** uid of each application's pod: they stay the same as long as nothing restarts one. */
  public async uids(): Promise<readonly string[]> {
    return (await this.pods()).map(({ metadata }) => metadata?.uid ?? "").sort();
  }

  /** How often each Deployment of Linkerd and viz was rolled out. */
  public async rollouts(): Promise<Rollouts> {
    const { items } = await this.sandbox.client(AppsV1Api).listDeploymentForAllNamespaces();
    return Object.fromEntries(
      items
        .filter(({ metadata }) => ["linkerd", "linkerd-viz"].includes(metadata?.namespace ?? ""))
        .map(({ metadata }) => [
          metadata?.name ?? "",
          Number(metadata?.annotations?.["deployment.kubernetes.io/revision"]),
        ]),
    );
  }
}

/** Texts that hold a private key, PEM or base64 of it, by where they are: the sandbox's own files, and Helm's records. */
export async function keysFound(
  sandbox: TestSandbox,
  texts: Readonly<Record<string, string>>,
): Promise<string[]> {
  const { root, logs } = sandbox.paths;
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    // The cluster's own: etcd, the API server's record of requests, and what its kubelet mounts.
    .filter((path) => ["own.", "history", "stacks", "workspace"].some((part) => path.includes(part)))
    .filter((path) => !path.startsWith(logs));
  const files = await Promise.all(paths.map(async (path) => [path, await readFile(path, "utf8")] as const));
  const records = (await sandbox.helmReleases()).map(
    (text, index) => [`Helm's record ${index}`, text] as const,
  );
  return [...files, ...records, ...Object.entries(texts)]
    .filter(([, text]) => hasKey(text))
    .map(([where]) => where);
}

function hasKey(text: string): boolean {
  const plain = (text.match(/[A-Za-z0-9+/]{64,}={0,2}/g) ?? []).map((encoded) =>
    Buffer.from(encoded, "base64").toString(),
  );
  return [text, ...plain].some((part) => /PRIVATE KEY-----(?!\.\.\.)/.test(part));
}
