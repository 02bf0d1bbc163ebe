import * as pulumi from "@pulumi/pulumi";

import { HelloWorld } from "./apps/helloWorld";
import {
  CertificateSummary,
  IdentityIssuer,
  InjectionGate,
  LinkerdControlPlane,
  LinkerdCrds,
  LinkerdNamespace,
  MeshGuard,
  summarize,
  TrustAnchor,
  trustBundle,
  WebhookCertificate,
} from "./components";
import { readConfig, SampleApplication } from "./config";

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
  meshedNamespaces: pulumi.Output<string>[];
}

/** What configuration can ask for by name. */
const APPLICATIONS = { "hello-world": HelloWorld } as const satisfies Record<SampleApplication, unknown>;

/** The oldest CLI whose engine knows resource hooks (3.182) and replacement triggers (3.208); others ignore them. */
const PULUMI_CLI = ">=3.208.0";

/** The program. Pulumi calls it, once per deployment. */
async function program(): Promise<StackOutputs> {
  await pulumi.requirePulumiVersion(PULUMI_CLI);
  const config = readConfig();
  const { charts, trustDomain } = config;

  const namespace = new LinkerdNamespace("linkerd");
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

  const crds = new LinkerdCrds("linkerd-crds", { namespace: namespace.name, charts });
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
  const gate = new InjectionGate(
    "injection-gate",
    {
      controlPlane: { digest: controlPlane.digest },
      deadlineSeconds: config.gateDeadlineSeconds,
      cluster: config.cluster,
    },
    // Asked only when the release is there.
    { dependsOn: controlPlane },
  );

  const applications = config.sampleApplications.map(
    (application) => new APPLICATIONS[application](application, { gate, guard, trustBundlePem }),
  );

  return {
    trustAnchors: Object.fromEntries(anchors.map(({ id, anchor }) => [id, summarize(anchor.certPem)])),
    issuer: summarize(issuer.certPem),
    webhookCertificates: {
      "linkerd-proxy-injector": summarize(proxyInjector.certPem),
      "linkerd-sp-validator": summarize(profileValidator.certPem),
      "linkerd-policy-validator": summarize(policyValidator.certPem),
    },
    trustDomain,
    chartVersions: { "linkerd-crds": crds.chartVersion, "linkerd-control-plane": controlPlane.chartVersion },
    meshedNamespaces: applications.map((application) => application.namespace),
  };
}

export = program;
