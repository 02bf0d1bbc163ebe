import * as pulumi from "@pulumi/pulumi";

import { CertManager, CertManagerArgs } from "./certManager/certManager";
import { IssuerRef } from "./certManager/resources";
import { Rotation } from "./certManager/rotation";
import { ChartValues } from "./chartValues";
import { ClusterAccess } from "./cluster/client";
import { KubeSystemLabel } from "./controlPlane/kubeSystemLabel";
import { LinkerdControlPlane } from "./controlPlane/linkerdControlPlane";
import { LinkerdCrds } from "./controlPlane/linkerdCrds";
import { LinkerdNamespace } from "./controlPlane/linkerdNamespace";
import { ControlPlaneSettings } from "./controlPlane/settings";
import { CONTROL_PLANE_WEBHOOKS } from "./controlPlane/values";
import { ChartSource, LinkerdVersion } from "./controlPlane/version";
import { LinkerdViz, SCRAPES, VizSettings } from "./extensions/linkerdViz";
import { InjectionGate } from "./injection/injectionGate";
import { Mesh } from "./injection/mesh";
import { GuardMode, MeshGuard } from "./injection/meshGuard";
import { ApplicationNamespace } from "./mesh/application";
import { meshedApplication } from "./mesh/meshedApplication";
import { CertificateSummary, summarize } from "./pki/certificateSummary";
import { IdentityIssuer, IdentityIssuerArgs, ProvidedIssuer } from "./pki/identityIssuer";
import { Signer } from "./pki/issuing";
import { IssuanceArgs } from "./pki/keyGeneration";
import { TrustAnchor } from "./pki/trustAnchor";
import { trustBundle } from "./pki/trustBundle";
import { WebhookCertificates, WebhookIssuance, WebhookRotation } from "./pki/webhookCertificates";
import { TrustManager, TrustManagerArgs } from "./trustManager/trustManager";
import { TrustManagerBundle } from "./trustManager/trustManagerBundle";

/** One trust anchor of a mesh. */
export interface MeshTrustAnchor extends IssuanceArgs {
  /** Goes into resource names, so adding or removing an anchor renames no other. */
  readonly id: string;
  /** PEM of an anchor whose key is kept elsewhere. Default: one is generated. */
  readonly certificate?: string;
}

/** What cert-manager and trust-manager do for a mesh. */
export interface MeshRotation {
  /** cert-manager; with `install: false` it exists already. */
  readonly certManager: Omit<CertManagerArgs, "cluster" | "values"> & {
    readonly install: boolean;
    /** How long to wait for what cert-manager and trust-manager write, in seconds. Default 300. */
    readonly deadlineSeconds?: number;
  };
  /** How cert-manager issues the identity issuer. Default: with the signing anchor. */
  readonly identity: Partial<Rotation> & { readonly issuerRef?: IssuerRef };
  /** How cert-manager issues the webhooks' certificates. Default: they are generated. */
  readonly webhooks?: WebhookRotation;
  /** Has trust-manager write the trust bundle; with `install: false` it exists already. Default: the chart writes it. */
  readonly trustManager?: Omit<TrustManagerArgs, "cluster" | "highAvailability" | "values"> & {
    readonly install: boolean;
  };
}

/** Arguments of a {@link LinkerdMesh}: plain data, but for secrets. What is left out is as documented for the part it is for. */
export interface LinkerdMeshArgs {
  /** The cluster, the same as the Kubernetes provider's; an empty object for the ambient kubeconfig. */
  readonly cluster: ClusterAccess;
  /** Linkerd's release and where its charts come from. */
  readonly charts?: ChartSource;
  /** Trust domain. Default `cluster.local`. */
  readonly trustDomain?: string;
  /** In the order of the trust bundle. Default: one with the id `primary` is generated. */
  readonly trustAnchors?: readonly MeshTrustAnchor[];
  /** id of the anchor that signs the issuer. Default: the only one. */
  readonly signingAnchor?: string;
  /** Key of the signing anchor where that has a certificate. */
  readonly trustAnchorKey?: pulumi.Input<string>;
  /** How the issuer is signed here. */
  readonly issuer?: IssuanceArgs;
  /** The issuer, where it is not signed here. */
  readonly providedIssuer?: ProvidedIssuer;
  /** Validity of the proxies' certificates, in seconds. Default a day. */
  readonly issuanceLifetime?: number;
  /** How the webhooks' certificates are signed here. */
  readonly webhookCertificates?: IssuanceArgs;
  /** Has cert-manager issue and renew certificates. Default: they change only with the configuration. */
  readonly rotation?: MeshRotation;
  /** Default `deny`. */
  readonly guardMode?: GuardMode;
  /** How long each gate waits for injection, in seconds. Default 300. */
  readonly gateDeadlineSeconds?: number;
  /** Choices for the control plane. */
  readonly controlPlane?: ControlPlaneSettings;
  /** Whether generated anchors and namespaces must be unprotected before they can be deleted. Default false. */
  readonly protect?: boolean;
  /** Whether the cluster has Linkerd's CNI plugin. Default false. */
  readonly cniEnabled?: boolean;
  /** Whether kube-system gets the label that keeps Linkerd's webhooks away. Default false. */
  readonly labelKubeSystem?: boolean;
  /** Installs the viz extension. Default: it is not installed. */
  readonly viz?: VizSettings;
  /** Further Helm values, by the name of the chart. Default: none. */
  readonly values?: ChartValues;
  /** Application namespaces with their workloads. Default: none. */
  readonly namespaces?: readonly ApplicationNamespace[];
}

/** Certificates that the deployment knows, for the outputs of a stack. */
export interface MeshCertificates {
  /** By id. */
  readonly trustAnchors: Readonly<Record<string, pulumi.Output<CertificateSummary>>>;
  /** Undefined where cert-manager issues it. */
  readonly issuer?: pulumi.Output<CertificateSummary>;
  /** By the webhook's Service; without those that cert-manager issues. */
  readonly webhookCertificates: Readonly<Record<string, pulumi.Output<CertificateSummary>>>;
}

/**
 * A whole mesh: Linkerd with its certificates, the guard, the gate that proves that pods are injected, viz, and
 * application namespaces behind the gate. Applications of your own take the component as their `mesh`.
 */
export class LinkerdMesh extends pulumi.ComponentResource implements Mesh {
  public readonly trustBundlePem: pulumi.Output<string>;
  /** Opens when pods are injected, with viz also when they get tap. */
  public readonly gate: InjectionGate;
  public readonly guard: MeshGuard;
  public readonly cniEnabled: boolean;
  public readonly linkerdVersion?: LinkerdVersion;
  /** Trust domain. */
  public readonly trustDomain: string;
  /** What may be shown of the certificates. */
  public readonly certificates: MeshCertificates;
  /** Installed version of each chart, by its name. */
  public readonly chartVersions: Readonly<Record<string, pulumi.Output<string>>>;
  /** Names of those of the `namespaces` whose pods are injected by default. */
  public readonly meshedNamespaces: readonly pulumi.Output<string>[];

  public constructor(name: string, args: LinkerdMeshArgs, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:LinkerdMesh", name, {}, opts);

    const { cluster, charts = {}, values = {}, protect = false, rotation, gateDeadlineSeconds } = args;
    const parent = { parent: this };
    this.cniEnabled = args.cniEnabled ?? false;
    this.linkerdVersion = charts.version;
    this.trustDomain = args.trustDomain ?? "cluster.local";

    if (args.labelKubeSystem === true) {
      new KubeSystemLabel(`${name}-kube-system`, parent);
    }
    const namespace = new LinkerdNamespace(name, { cniEnabled: this.cniEnabled }, { ...parent, protect });
    this.guard = new MeshGuard(`${name}-guard`, { mode: args.guardMode }, parent);

    const anchors = this.trustAnchors(name, args);
    const certPems = anchors.map(({ anchor }) => anchor.certPem);
    const managers = this.managers(name, args);
    const trustRoots =
      rotation?.trustManager &&
      new TrustManagerBundle(
        `${name}-trust-roots`,
        { certPems, deadlineSeconds: rotation.certManager.deadlineSeconds, cluster },
        // trust-manager finds the namespace by its labels.
        { ...parent, dependsOn: [namespace, ...present(managers.trustManager)] },
      );
    this.trustBundlePem = trustRoots?.trustBundlePem ?? trustBundle(certPems);

    const signer = anchors.find(({ id }) => id === (args.signingAnchor ?? anchors[0]?.id))?.anchor.signer;
    const issuer = new IdentityIssuer(
      `${name}-identity-issuer`,
      {
        namespace: namespace.name,
        trustDomain: this.trustDomain,
        trustBundlePem: this.trustBundlePem,
        source: issuerSource(args, signer),
        handover: true,
      },
      { ...parent, dependsOn: managers.certManager },
    );
    const issuance: WebhookIssuance = {
      webhookCertificates: args.webhookCertificates,
      webhookRotation: rotation?.webhooks && {
        ...rotation.webhooks,
        deadlineSeconds: rotation.certManager.deadlineSeconds,
        cluster,
      },
    };
    const webhooks = new WebhookCertificates(
      `${name}-webhooks`,
      { ...issuance, namespace: namespace.name, services: CONTROL_PLANE_WEBHOOKS, handover: true },
      { ...parent, dependsOn: managers.certManager },
    );

    const crds = new LinkerdCrds(
      `${name}-crds`,
      { namespace: namespace.name, charts, values: values["linkerd-crds"], cluster },
      parent,
    );
    const controlPlane = new LinkerdControlPlane(
      `${name}-control-plane`,
      {
        namespace: namespace.name,
        charts,
        trustBundlePem: this.trustBundlePem,
        trustDomain: this.trustDomain,
        issuanceLifetime: args.issuanceLifetime,
        webhookTrust: webhooks.trust,
        cniEnabled: this.cniEnabled,
        externalTrustRoots: trustRoots !== undefined,
        settings: args.controlPlane,
        values: values["linkerd-control-plane"],
        cluster,
      },
      {
        ...parent,
        dependsOn: [
          // The control plane's controllers watch these kinds from their start.
          crds,
          // Its pods mount their Secrets, whose names are fixed.
          issuer,
          webhooks,
          // They mount its ConfigMap too, in place of the chart's.
          ...present(trustRoots),
          // It exists before the injector, and is deleted after it.
          this.guard,
        ],
      },
    );
    const controlPlaneGate = new InjectionGate(
      `${name}-gate`,
      { controlPlane: { digest: controlPlane.digest }, deadlineSeconds: gateDeadlineSeconds, cluster },
      // Injection can be proven only once the release is installed.
      { ...parent, dependsOn: controlPlane },
    );
    const viz =
      args.viz &&
      new LinkerdViz(
        `${name}-viz`,
        {
          ...args.viz,
          ...issuance,
          charts,
          values: values["linkerd-viz"],
          trustDomain: this.trustDomain,
          linkerdNamespace: namespace.name,
          imageRegistry: args.controlPlane?.imageRegistry,
          imagePullSecrets: args.controlPlane?.imagePullSecrets,
          certManager: managers.certManager,
          mesh: { ...this.context(), gate: controlPlaneGate },
          gateDeadlineSeconds,
          cluster,
        },
        parent,
      );
    // A pod gets tap, too, only when it is created.
    this.gate = viz?.gate ?? controlPlaneGate;

    const scraped = args.viz !== undefined && args.viz.prometheusUrl === undefined;
    const namespaces = (args.namespaces ?? []).map((application) =>
      meshedApplication(
        `${name}-${application.name}`,
        { ...application, mesh: this.context(), scrapes: scraped ? SCRAPES : undefined, protect },
        this,
      ),
    );

    this.certificates = {
      trustAnchors: Object.fromEntries(anchors.map(({ id, anchor }) => [id, summarize(anchor.certPem)])),
      ...(issuer.certPem && { issuer: summarize(issuer.certPem) }),
      webhookCertificates: summaries({ ...webhooks.certPems, ...viz?.certPems }),
    };
    this.chartVersions = {
      "linkerd-crds": crds.chartVersion,
      "linkerd-control-plane": controlPlane.chartVersion,
      ...(viz && { "linkerd-viz": viz.chartVersion }),
      ...(managers.certManager && { "cert-manager": managers.certManager.chartVersion }),
      ...(managers.trustManager && { "trust-manager": managers.trustManager.chartVersion }),
    };
    this.meshedNamespaces = namespaces.filter(({ injected }) => injected).map((meshed) => meshed.name);
    this.registerOutputs({ trustDomain: this.trustDomain, chartVersions: this.chartVersions });
  }

  private context(): Omit<Mesh, "gate"> & Pick<LinkerdMesh, "gate"> {
    const { trustBundlePem, gate, guard, cniEnabled, linkerdVersion } = this;
    return { trustBundlePem, gate, guard, cniEnabled, linkerdVersion };
  }

  private trustAnchors(
    name: string,
    { trustAnchors = [{ id: "primary" }], signingAnchor, trustAnchorKey, protect = false }: LinkerdMeshArgs,
  ): { readonly id: string; readonly anchor: TrustAnchor }[] {
    return trustAnchors.map(({ id, ...anchor }) => ({
      id,
      anchor: new TrustAnchor(
        `${name}-trust-anchor-${id}`,
        { ...anchor, privateKey: id === signingAnchor ? trustAnchorKey : undefined },
        // A provided anchor has no key in the state to protect.
        { parent: this, protect: protect && anchor.certificate === undefined },
      ),
    }));
  }

  /** cert-manager and trust-manager, where they are installed here. */
  private managers(
    name: string,
    { rotation, values = {}, cluster }: LinkerdMeshArgs,
  ): { readonly certManager?: CertManager; readonly trustManager?: TrustManager } {
    if (rotation === undefined) {
      return {};
    }
    const { certManager: manager, trustManager: distributor } = rotation;
    const certManager = manager.install
      ? new CertManager(
          `${name}-cert-manager`,
          { ...manager, values: values["cert-manager"], cluster },
          { parent: this },
        )
      : undefined;
    const trustManager =
      distributor?.install === true
        ? new TrustManager(
            `${name}-trust-manager`,
            {
              ...distributor,
              highAvailability: manager.highAvailability,
              values: values["trust-manager"],
              cluster,
            },
            // It issues the certificate of trust-manager's webhook.
            { parent: this, dependsOn: certManager },
          )
        : undefined;
    return { certManager, trustManager };
  }
}

/** Where the identity issuer comes from. */
function issuerSource(
  { rotation, providedIssuer, issuer, cluster }: LinkerdMeshArgs,
  signer: Signer | undefined,
): IdentityIssuerArgs["source"] {
  if (rotation !== undefined) {
    const { issuerRef, ...identity } = rotation.identity;
    const issuedBy = issuerRef ?? required(signer);
    return { ...identity, issuedBy, deadlineSeconds: rotation.certManager.deadlineSeconds, cluster };
  }
  return providedIssuer ?? { ...issuer, signer: required(signer) };
}

function required(signer: Signer | undefined): Signer {
  if (signer === undefined) {
    throw new pulumi.InputPropertyError({
      propertyPath: "signingAnchor",
      reason: "must be the id of an anchor with a key, because no issuer is provided",
    });
  }
  return signer;
}

function present<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value];
}

function summaries(
  certPems: Readonly<Record<string, pulumi.Output<string>>>,
): Record<string, pulumi.Output<CertificateSummary>> {
  return Object.fromEntries(
    Object.entries(certPems).map(([service, certPem]) => [service, summarize(certPem)]),
  );
}
