import * as pulumi from "@pulumi/pulumi";

import { Emojivoto } from "./apps/emojivoto";
import { HelloWorld } from "./apps/helloWorld";
import { Kuard } from "./apps/kuard";
import { Shop } from "./apps/shop";
import {
  CertificateSummary,
  checkPodSecurity,
  IdentityIssuer,
  InjectionGate,
  isInjected,
  KubeSystemLabel,
  LinkerdControlPlane,
  LinkerdCrds,
  LinkerdNamespace,
  LinkerdViz,
  MeshedNamespace,
  MeshedWorkload,
  MeshGuard,
  summarize,
  TrustAnchor,
  trustBundle,
  WebhookCertificate,
} from "./components";
import { NamespaceConfig, readConfig, SampleApplication, StackConfig } from "./config";

/** Outputs of the stack. No key, and nothing that is not public. */
interface StackOutputs {
  /** By id. */
  trustAnchors: Record<string, pulumi.Output<CertificateSummary>>;
  issuer: pulumi.Output<CertificateSummary>;
  /** By the webhook's Service. */
  webhookCertificates: Record<string, pulumi.Output<CertificateSummary>>;
  trustDomain: string;
  /** Installed version of each chart. */
  chartVersions: Record<string, pulumi.Output<string>>;
  /** Namespaces of applications whose pods are injected by default. */
  meshedNamespaces: pulumi.Output<string>[];
}

/** What configuration can ask for by name. */
const APPLICATIONS = {
  "hello-world": HelloWorld,
  emojivoto: Emojivoto,
  kuard: Kuard,
  shop: Shop,
} as const satisfies Record<SampleApplication, unknown>;

/** The oldest CLI whose engine knows resource hooks (3.182) and replacement triggers (3.208); others ignore them. */
const PULUMI_CLI = ">=3.208.0";

/** The program. Pulumi calls it, once per deployment. */
async function program(): Promise<StackOutputs> {
  await pulumi.requirePulumiVersion(PULUMI_CLI);
  const config = readConfig();
  const { charts, cluster, trustDomain, cniEnabled } = config;
  await checkPodSecurity(existingNamespaces(config));

  if (config.labelKubeSystem) {
    new KubeSystemLabel("kube-system");
  }
  const namespace = new LinkerdNamespace("linkerd", { cniEnabled });
  const guard = new MeshGuard("mesh-guard", { mode: config.guardMode });

  const anchors = config.trustAnchors.map(({ id, ...args }) => ({
    id,
    anchor: new TrustAnchor(`trust-anchor-${id}`, args),
  }));
  const trustBundlePem = trustBundle(anchors.map(({ anchor }) => anchor));
  const source =
    config.providedIssuer ?? anchors.find(({ id }) => id === config.signingAnchor)?.anchor.signer;
  if (source === undefined) {
    throw new pulumi.RunError("no issuer is provided and the signing anchor has no key");
  }
  const issuer = new IdentityIssuer("identity-issuer", {
    ...config.issuer,
    namespace: namespace.name,
    trustDomain,
    trustBundlePem,
    source,
  });

  const webhook = (service: string): WebhookCertificate =>
    new WebhookCertificate(service, { ...config.webhookCertificates, service, namespace: namespace.name });
  const proxyInjector = webhook("linkerd-proxy-injector");
  const profileValidator = webhook("linkerd-sp-validator");
  const policyValidator = webhook("linkerd-policy-validator");

  const crds = new LinkerdCrds("linkerd-crds", { namespace: namespace.name, charts, cluster });
  const controlPlane = new LinkerdControlPlane(
    "linkerd-control-plane",
    {
      namespace: namespace.name,
      charts,
      trustBundlePem,
      trustDomain,
      webhookCaBundles: {
        proxyInjector: proxyInjector.caBundle,
        profileValidator: profileValidator.caBundle,
        policyValidator: policyValidator.caBundle,
      },
      cniEnabled,
      cluster,
    },
    {
      dependsOn: [
        // The control plane's controllers watch these kinds from their start.
        crds,
        // Its pods mount the Secrets of these, whose names are fixed.
        issuer,
        proxyInjector,
        profileValidator,
        policyValidator,
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
      trustDomain,
      trustBundlePem,
      linkerdNamespace: namespace.name,
      webhookCertificates: config.webhookCertificates,
      cniEnabled,
      gate: controlPlaneGate,
      guard,
      gateDeadlineSeconds,
      cluster,
    });

  // Tap too is switched on only when a pod is created.
  const mesh: Mesh = { gate: viz?.gate ?? controlPlaneGate, guard, trustBundlePem, cniEnabled };
  const applications = config.sampleApplications.map(
    (application) => new APPLICATIONS[application](application, mesh),
  );
  const namespaces = config.namespaces.map((application) => ({
    inject: application.inject,
    name: deployNamespace(application, mesh),
  }));

  return {
    trustAnchors: Object.fromEntries(anchors.map(({ id, anchor }) => [id, summarize(anchor.certPem)])),
    issuer: summarize(issuer.certPem),
    webhookCertificates: {
      "linkerd-proxy-injector": summarize(proxyInjector.certPem),
      "linkerd-sp-validator": summarize(profileValidator.certPem),
      "linkerd-policy-validator": summarize(policyValidator.certPem),
      ...(viz && {
        tap: summarize(viz.certPems.tap),
        "tap-injector": summarize(viz.certPems["tap-injector"]),
      }),
    },
    trustDomain,
    chartVersions: {
      "linkerd-crds": crds.chartVersion,
      "linkerd-control-plane": controlPlane.chartVersion,
      ...(viz && { "linkerd-viz": viz.chartVersion }),
    },
    meshedNamespaces: [
      ...applications.flatMap((application) => application.namespaces),
      ...namespaces.filter(({ inject }) => isInjected(inject)).map(({ name }) => name),
    ],
  };
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
}

/** A namespace of the configuration with its workloads. */
function deployNamespace(config: NamespaceConfig, mesh: Mesh): pulumi.Output<string> {
  const { name, inject, proxy, workloads, ...args } = config;
  const { gate, guard, trustBundlePem, cniEnabled } = mesh;
  const injectedByPod = workloads.some((workload) => isInjected(workload.inject));
  const namespace = new MeshedNamespace(name, {
    ...args,
    inject,
    proxy,
    cniEnabled,
    injectedByPod,
    gate,
    guard,
  });
  for (const workload of workloads) {
    new MeshedWorkload(`${name}/${workload.name}`, {
      ...workload,
      namespace: namespace.name,
      inherited: { inject, proxy },
      trustBundlePem,
      gate,
    });
  }
  return namespace.name;
}

export = program;
