import * as pulumi from "@pulumi/pulumi";

import { Emojivoto } from "./apps/emojivoto";
import { HelloWorld } from "./apps/helloWorld";
import { Kuard } from "./apps/kuard";
import { Shop } from "./apps/shop";
import {
  Authorization,
  CertificateSummary,
  CertManager,
  checkPodSecurity,
  CONTROL_PLANE_WEBHOOKS,
  IdentityIssuer,
  InjectionGate,
  isInjected,
  KubeSystemLabel,
  LinkerdControlPlane,
  LinkerdCrds,
  LinkerdNamespace,
  LinkerdVersion,
  LinkerdViz,
  MeshedNamespace,
  MeshedWorkload,
  MeshGuard,
  PortAuthorization,
  RotatingIdentity,
  SCRAPES,
  Signer,
  summarize,
  TrustAnchor,
  trustBundle,
  TrustManager,
  TrustManagerBundle,
  warnWithoutGatewayApi,
  webhookCertificates,
  WebhookIssuance,
} from "./components";
import { NamespaceConfig, readConfig, StackConfig } from "./config/index";
import { silenceDebugMessages } from "./debugMessages";

/** Outputs of the stack. No key, and nothing that is not public. */
interface StackOutputs {
  /** By id. */
  trustAnchors: Record<string, pulumi.Output<CertificateSummary>>;
  /** Absent where cert-manager issues it, so that no deployment knows it. */
  issuer?: pulumi.Output<CertificateSummary>;
  /** By the webhook's Service; without those that cert-manager issues. */
  webhookCertificates: Record<string, pulumi.Output<CertificateSummary>>;
  trustDomain: string;
  /** Installed version of each chart. */
  chartVersions: Record<string, pulumi.Output<string>>;
  /** Namespaces of applications whose pods are injected by default. */
  meshedNamespaces: pulumi.Output<string>[];
}

/** What configuration can ask for by name. */
const APPLICATIONS = {
  "hello-world": { component: HelloWorld, namespaces: ["hello-world"] },
  emojivoto: { component: Emojivoto, namespaces: ["emojivoto"] },
  kuard: { component: Kuard, namespaces: [] },
  shop: { component: Shop, namespaces: ["shop-users", "shop-identity", "shop-web", "shop-ingress"] },
} as const;

/** The oldest CLI whose engine knows resource hooks (3.182) and replacement triggers (3.208); others ignore them. */
const PULUMI_CLI = ">=3.208.0";

/** The program. Pulumi calls it, once per deployment. */
async function program(): Promise<StackOutputs> {
  silenceDebugMessages();
  await pulumi.requirePulumiVersion(PULUMI_CLI);
  const config = readConfig(APPLICATIONS);
  const { charts, cluster, trustDomain, cniEnabled, protect, values } = config;
  await checkPodSecurity(existingNamespaces(config));
  await warnWithoutGatewayApi(charts, cluster, values["linkerd-crds"]);

  if (config.labelKubeSystem) {
    new KubeSystemLabel("kube-system");
  }
  const namespace = new LinkerdNamespace("linkerd", { cniEnabled }, { protect });
  const guard = new MeshGuard("mesh-guard", { mode: config.guardMode });

  const anchors = config.trustAnchors.map(({ id, ...args }) => ({
    id,
    anchor: new TrustAnchor(
      `trust-anchor-${id}`,
      { ...args, privateKey: id === config.signingAnchor ? config.trustAnchorKey : undefined },
      // One that is brought has nothing here that could be lost.
      { protect: protect && args.certificate === undefined },
    ),
  }));
  const signer = anchors.find(({ id }) => id === config.signingAnchor)?.anchor.signer;
  const certManager = installCertManager(config);
  const trustManager = installTrustManager(config, certManager);
  const trustRoots =
    config.rotation?.trustManager &&
    new TrustManagerBundle(
      "trust-roots",
      {
        certPems: anchors.map(({ anchor }) => anchor.certPem),
        deadlineSeconds: config.rotation.certManager.deadlineSeconds,
        cluster,
      },
      // trust-manager finds the namespace by its labels.
      { dependsOn: [namespace, ...(trustManager ? [trustManager] : [])] },
    );
  // In the order that the ConfigMap has, which `linkerd check` compares with that of the pods.
  const trustBundlePem = trustBundle(
    anchors.map(({ anchor }) => anchor),
    trustRoots ? "fingerprint" : "given",
  );
  const issuer = identityIssuer(config, { namespace: namespace.name, trustBundlePem, signer, certManager });
  const issuance: WebhookIssuance = {
    webhookCertificates: config.webhookCertificates,
    webhookRotation: config.rotation?.webhooks && {
      ...config.rotation.webhooks,
      deadlineSeconds: config.rotation.certManager.deadlineSeconds,
    },
    certManager,
    cluster,
  };
  const webhooks = webhookCertificates("webhooks", {
    ...issuance,
    namespace: namespace.name,
    services: CONTROL_PLANE_WEBHOOKS,
    prefix: "",
  });

  const crds = new LinkerdCrds("linkerd-crds", {
    namespace: namespace.name,
    charts,
    values: values["linkerd-crds"],
    cluster,
  });
  const controlPlane = new LinkerdControlPlane(
    "linkerd-control-plane",
    {
      namespace: namespace.name,
      charts,
      trustBundlePem,
      trustDomain,
      issuanceLifetime: config.issuanceLifetime,
      webhookTrust: webhooks.trust,
      cniEnabled,
      externalTrustRoots: trustRoots !== undefined,
      settings: config.controlPlane,
      values: values["linkerd-control-plane"],
      cluster,
    },
    {
      dependsOn: [
        // The control plane's controllers watch these kinds from their start.
        crds,
        // Its pods mount the Secrets of these, whose names are fixed.
        issuer,
        ...webhooks.makers,
        // They mount its ConfigMap too, in place of the chart's.
        ...(trustRoots ? [trustRoots] : []),
        // It is there before the injector, and goes only after it.
        guard,
      ],
    },
  );
  const { gateDeadlineSeconds } = config;
  const controlPlaneGate = new InjectionGate(
    "injection-gate",
    { controlPlane: { digest: controlPlane.digest }, deadlineSeconds: gateDeadlineSeconds, cluster },
    // Asked only when the release is there.
    { dependsOn: controlPlane },
  );
  const viz =
    config.viz &&
    new LinkerdViz("linkerd-viz", {
      ...config.viz,
      charts,
      values: values["linkerd-viz"],
      trustDomain,
      trustBundlePem,
      linkerdNamespace: namespace.name,
      ...issuance,
      cniEnabled,
      imageRegistry: config.controlPlane.imageRegistry,
      imagePullSecrets: config.controlPlane.imagePullSecrets,
      gate: controlPlaneGate,
      guard,
      gateDeadlineSeconds,
      cluster,
    });

  // Tap too is switched on only when a pod is created.
  const mesh: Mesh = {
    gate: viz?.gate ?? controlPlaneGate,
    guard,
    trustBundlePem,
    cniEnabled,
    linkerdVersion: charts.version,
    scraped: config.viz !== undefined && config.viz.prometheusUrl === undefined,
  };
  const applications = config.sampleApplications.map(
    (application) => new APPLICATIONS[application].component(application, mesh),
  );
  const namespaces = config.namespaces.map((application) => ({
    inject: application.inject,
    name: deployNamespace(application, mesh, protect),
  }));

  return {
    trustAnchors: Object.fromEntries(anchors.map(({ id, anchor }) => [id, summarize(anchor.certPem)])),
    ...(issuer instanceof IdentityIssuer && { issuer: summarize(issuer.certPem) }),
    webhookCertificates: summaries({ ...webhooks.certPems, ...viz?.certPems }),
    trustDomain,
    chartVersions: {
      "linkerd-crds": crds.chartVersion,
      "linkerd-control-plane": controlPlane.chartVersion,
      ...(viz && { "linkerd-viz": viz.chartVersion }),
      ...(certManager && { "cert-manager": certManager.chartVersion }),
      ...(trustManager && { "trust-manager": trustManager.chartVersion }),
    },
    meshedNamespaces: [
      ...applications.flatMap((application) => application.namespaces),
      ...namespaces.filter(({ inject }) => isInjected(inject)).map(({ name }) => name),
    ],
  };
}

/** cert-manager, where this program installs it. */
function installCertManager({ rotation, values, cluster }: StackConfig): CertManager | undefined {
  return rotation?.certManager.install === true
    ? new CertManager("cert-manager", { ...rotation.certManager, values: values["cert-manager"], cluster })
    : undefined;
}

/** trust-manager, where this program installs it. */
function installTrustManager(
  { rotation, values, cluster }: StackConfig,
  certManager: CertManager | undefined,
): TrustManager | undefined {
  const { trustManager } = rotation ?? {};
  const highAvailability = rotation?.certManager.highAvailability;
  return trustManager?.install === true
    ? new TrustManager(
        "trust-manager",
        { ...trustManager, highAvailability, values: values["trust-manager"], cluster },
        // It issues the certificate of trust-manager's webhook.
        { dependsOn: certManager },
      )
    : undefined;
}

/** The identity issuer: provided, signed here, or issued by cert-manager. */
function identityIssuer(
  config: StackConfig,
  args: {
    readonly namespace: pulumi.Output<string>;
    readonly trustBundlePem: pulumi.Output<string>;
    readonly signer?: Signer;
    readonly certManager?: CertManager;
  },
): IdentityIssuer | RotatingIdentity {
  const { trustDomain, rotation, cluster } = config;
  const { certManager, signer, ...where } = args;
  if (rotation !== undefined) {
    const source = rotation.identity.issuerRef ?? required(signer);
    const { deadlineSeconds } = rotation.certManager;
    const identity = { ...rotation.identity, ...where, trustDomain, source, deadlineSeconds, cluster };
    return new RotatingIdentity("identity-issuer", identity, { dependsOn: certManager });
  }
  const source = config.providedIssuer ?? required(signer);
  return new IdentityIssuer("identity-issuer", { ...config.issuer, ...where, trustDomain, source });
}

function required(signer: Signer | undefined): Signer {
  if (signer === undefined) {
    throw new pulumi.RunError("no issuer is provided and the signing anchor has no key");
  }
  return signer;
}

function summaries(
  certPems: Readonly<Record<string, pulumi.Output<string>>>,
): Record<string, pulumi.Output<CertificateSummary>> {
  return Object.fromEntries(Object.entries(certPems).map(([name, certPem]) => [name, summarize(certPem)]));
}

/** Namespaces made by others where pods are injected under whatever level of pod security they have. */
function existingNamespaces({ cniEnabled, sampleApplications, namespaces }: StackConfig): string[] {
  if (cniEnabled) {
    return [];
  }
  const names = namespaces
    .filter(({ existing, podSecurity }) => existing && podSecurity === undefined)
    .filter(({ inject, workloads }) =>
      [inject, ...workloads.map((workload) => workload.inject)].some(isInjected),
    )
    .map(({ name }) => name);
  // kuard is deployed to the namespace that every cluster has.
  return [...new Set([...names, ...(sampleApplications.includes("kuard") ? ["default"] : [])])];
}

/** What every meshed application needs. */
interface Mesh {
  readonly gate: InjectionGate;
  readonly guard: MeshGuard;
  readonly trustBundlePem: pulumi.Output<string>;
  readonly cniEnabled: boolean;
  readonly linkerdVersion?: LinkerdVersion;
  /** Whether viz's own Prometheus reads the proxies' metrics. */
  readonly scraped: boolean;
}

/** A namespace of the configuration with its workloads. */
function deployNamespace(config: NamespaceConfig, mesh: Mesh, protect: boolean): pulumi.Output<string> {
  const { name, inject, proxy, workloads, authorization, ...args } = config;
  const { gate, guard, trustBundlePem, cniEnabled, linkerdVersion } = mesh;
  const injectedByPod = workloads.some((workload) => isInjected(workload.inject));
  const namespace = new MeshedNamespace(
    name,
    { ...args, inject, proxy, cniEnabled, injectedByPod, gate, guard },
    // Others keep theirs.
    { protect: protect && !config.existing },
  );
  const authorizations = withScrapes({ proxy, workloads, authorization }, mesh).map(
    (port) =>
      new PortAuthorization(
        `${name}/${port.workload ?? "all"}-${port.port}`,
        { ...port, namespace: namespace.name, linkerdVersion },
        // Linkerd's custom resource definitions are there when it opens.
        { dependsOn: gate },
      ),
  );
  for (const workload of workloads) {
    new MeshedWorkload(
      `${name}/${workload.name}`,
      { ...workload, namespace: namespace.name, inherited: { inject, proxy }, trustBundlePem, gate },
      // No client is refused because its authorization came later.
      { dependsOn: authorizations },
    );
  }
  return namespace.name;
}

/** Authorizations of a namespace, with that of viz's Prometheus where nothing else lets it read the proxies' metrics. */
function withScrapes(
  { proxy, workloads, authorization }: Pick<NamespaceConfig, "proxy" | "workloads" | "authorization">,
  { scraped }: Mesh,
): readonly Authorization[] {
  const denied = [{ proxy }, ...workloads].some((pods) => pods.proxy?.defaultInboundPolicy === "deny");
  const isSetAlready = authorization.some(({ port }) => port === SCRAPES.port);
  return scraped && denied && !isSetAlready ? [...authorization, SCRAPES] : authorization;
}

export = program;
