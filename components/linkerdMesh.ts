import * as pulumi from "@pulumi/pulumi";

import { CertManager } from "./certManager/certManager";
import { formerCertificatesGate } from "./certManager/formerCertificates";
import { ClusterAccess } from "./cluster/client";
import { issuerGate } from "./controlPlane/issuerGate";
import { KubeSystemLabel } from "./controlPlane/kubeSystemLabel";
import { LinkerdControlPlane } from "./controlPlane/linkerdControlPlane";
import { LinkerdCrds } from "./controlPlane/linkerdCrds";
import { LinkerdNamespace } from "./controlPlane/linkerdNamespace";
import { CONTROL_PLANE_WEBHOOKS } from "./controlPlane/values";
import { LinkerdVersion } from "./controlPlane/version";
import { LinkerdViz, SCRAPES } from "./extensions/linkerdViz";
import { DEFAULT_GATE_DEADLINE_SECONDS, InjectionGate } from "./injection/injectionGate";
import { Mesh } from "./injection/mesh";
import { MeshGuard } from "./injection/meshGuard";
import { LinkerdMeshArgs } from "./linkerdMeshArgs";
import {
  MeshCertificates,
  MeshPems,
  namedPems,
  summaries,
  watchedCertificates,
  webhookPems,
} from "./meshCertificates";
import { meshedApplication } from "./mesh/meshedApplication";
import { isInjected } from "./mesh/proxySettings";
import { LinkerdMonitoring } from "./monitoring/linkerdMonitoring";
import { watchExpiry } from "./pki/expiry";
import { IdentityIssuer, IdentityIssuerArgs } from "./pki/identityIssuer";
import { Signer } from "./pki/issuing";
import { TrustAnchor } from "./pki/trustAnchor";
import { trustBundle } from "./pki/trustBundle";
import { WebhookCertificates, WebhookIssuance } from "./pki/webhookCertificates";
import { PlannedTrust } from "./pki/deployedTrust";
import { signerHook } from "./pki/trustChange";
import { trustGate } from "./pki/trustGate";
import { plannedTrust } from "./plannedTrust";
import { sharesNamespace } from "./managers";
import { TrustManager } from "./trustManager/trustManager";
import { TrustManagerBundle } from "./trustManager/trustManagerBundle";

/**
 * A whole mesh: Linkerd with its certificates, the guard, the gate that proves that pods are injected, viz, and
 * application namespaces behind the gate. Applications of your own take the component as their `mesh`.
 */
export class LinkerdMesh extends pulumi.ComponentResource implements Mesh {
  public readonly cluster: ClusterAccess;
  public readonly trustBundlePem: pulumi.Output<string>;
  /** Opens when pods are injected, with viz also when they get tap. */
  public readonly gate: InjectionGate;
  public readonly guard: MeshGuard;
  public readonly cniEnabled: boolean;
  public readonly linkerdVersion?: LinkerdVersion;
  /** Trust domain. */
  public readonly trustDomain: string;
  /**
   * Rejects where a change of trust is refused. Await it in a preview, after which `up` would be refused; `up` itself ends
   * with the refusal.
   */
  public readonly trustChecked: Promise<void>;
  /** Rejects where a certificate has expired that this deployment does not replace. Await it, in a preview too. */
  public readonly certificatesChecked: Promise<void>;
  /** What may be shown of the certificates. */
  public readonly certificates: MeshCertificates;
  /** Installed version of each chart, by its name. */
  public readonly chartVersions: Readonly<Record<string, pulumi.Output<string>>>;
  /** Names of those of the `namespaces` whose pods are injected by default. */
  public readonly meshedNamespaces: readonly pulumi.Output<string>[];

  public constructor(name: string, args: LinkerdMeshArgs, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:LinkerdMesh", name, {}, opts);

    const { cluster, charts = {}, values = {}, protect = false, rotation, gateDeadlineSeconds } = args;
    const gateNamespace = args.gateNamespace ?? existingMeshed(args);
    const parent = { parent: this };
    this.cluster = cluster;
    this.cniEnabled = args.cniEnabled ?? false;
    this.linkerdVersion = charts.version;
    const planned = plannedTrust(args);
    this.trustDomain = planned.trustDomain;

    if (args.labelKubeSystem === true) {
      new KubeSystemLabel(`${name}-kube-system`, parent);
    }
    const namespace = new LinkerdNamespace(
      name,
      { cniEnabled: this.cniEnabled, cluster },
      { ...parent, protect },
    );
    this.guard = new MeshGuard(`${name}-guard`, { mode: args.guardMode, cluster }, parent);

    const anchors = this.trustAnchors(name, args, planned);
    const certPems = anchors.map(({ anchor }) => anchor.certPem);
    const trust = trustGate(this, `${name}-trust`, {
      deployed: args.deployed,
      planned,
      certPems,
      issuer: args.providedIssuer?.certificate,
    });
    const managers = this.managers(name, args);
    const trustRoots =
      rotation?.trustManager &&
      new TrustManagerBundle(
        `${name}-trust-roots`,
        { certPems, deadlineSeconds: rotation.certManager.deadlineSeconds, cluster },
        // trust-manager finds the namespace by its labels.
        { ...parent, dependsOn: [namespace, ...trust.before, ...present(managers.trustManager)] },
      );
    this.trustBundlePem = trustRoots?.trustBundlePem ?? trustBundle(certPems);
    const covered = cluster.adopt && this.coverAdopted(name, args, [namespace, this.guard, ...trust.before]);

    const signer = anchors.find(({ signs }) => signs)?.anchor.signer;
    const issuer = new IdentityIssuer(
      `${name}-identity-issuer`,
      {
        namespace: namespace.name,
        trustDomain: this.trustDomain,
        trustBundlePem: this.trustBundlePem,
        source: issuerSource(args, signer),
        handover: true,
        cluster,
      },
      // What would cut traffic is refused before the first Secret is changed.
      { ...parent, dependsOn: [...trust.before, ...present(covered), ...present(managers.certManager)] },
    );
    const issuance: WebhookIssuance = {
      webhookCertificates: args.webhookCertificates,
      deployedWebhooks: args.deployed?.readWebhooks,
      acceptOutage: args.acceptOutage,
      webhookRotation: rotation?.webhooks && {
        ...rotation.webhooks,
        deadlineSeconds: rotation.certManager.deadlineSeconds,
      },
    };
    const webhooks = new WebhookCertificates(
      `${name}-webhooks`,
      { ...issuance, namespace: namespace.name, services: CONTROL_PLANE_WEBHOOKS, handover: true, cluster },
      { ...parent, dependsOn: [...present(covered), ...present(managers.certManager)] },
    );

    const crds = new LinkerdCrds(
      `${name}-crds`,
      { namespace: namespace.name, charts, values: values["linkerd-crds"], cluster },
      { ...parent, dependsOn: present(covered) },
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
      {
        controlPlane: { digest: controlPlane.digest },
        trustBundlePem: this.trustBundlePem,
        deadlineSeconds: gateDeadlineSeconds,
        namespace: gateNamespace,
        cluster,
      },
      // Injection can be proven only once the release is installed.
      { ...parent, dependsOn: controlPlane },
    );
    issuerGate(
      `${name}-issuer-in-use`,
      {
        issuer: issuer.digest,
        deployed: args.deployed,
        deadlineSeconds: gateDeadlineSeconds ?? DEFAULT_GATE_DEADLINE_SECONDS,
        cluster,
      },
      // Identity starts with the Secret that is there.
      { ...parent, dependsOn: [issuer, controlPlane] },
    );
    if (cluster.adopt === undefined) {
      this.guard.coverOthers(`${name}-guard-others`, { ...parent, dependsOn: controlPlaneGate });
    }
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
          gateNamespace,
          cluster,
        },
        { ...parent, dependsOn: present(covered) },
      );
    this.trustChecked = Promise.all([trust.checked, webhooks.changeChecked, viz?.changeChecked]).then(
      () => undefined,
    );
    // Who does not await it sees the refusal in `up`.
    this.trustChecked.catch(() => undefined);
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

    const pems: MeshPems = {
      anchors: Object.fromEntries(anchors.map(({ id, anchor }) => [id, anchor.certPem])),
      issuer: issuer.certPem,
      ...webhookPems(webhooks, viz),
    };
    this.certificatesChecked = watchExpiry(watchedCertificates(pems, args, planned));
    // Who does not await it sees no error.
    this.certificatesChecked.catch(() => undefined);
    if (args.monitoring !== undefined) {
      new LinkerdMonitoring(
        `${name}-monitoring`,
        {
          ...args.monitoring,
          linkerdNamespace: namespace.name,
          charts,
          guardMode: args.guardMode,
          certPems: namedPems(pems),
          issuerPem: issuer.certPem,
          rotation,
          issuanceLifetime: args.issuanceLifetime,
          viz: viz !== undefined,
          cluster,
        },
        parent,
      );
    }
    this.certificates = summaries(pems);
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
    const { cluster, trustBundlePem, trustDomain, gate, guard, cniEnabled, linkerdVersion } = this;
    return { cluster, trustBundlePem, trustDomain, gate, guard, cniEnabled, linkerdVersion };
  }

  /**
   * Has the guard refuse unmeshed pods before anything of a mesh of others is changed, once injection is proven, and then
   * keeps cert-manager's Certificates of others from renewing what the stack writes.
   */
  private coverAdopted(
    name: string,
    { gateDeadlineSeconds, gateNamespace, ...args }: LinkerdMeshArgs,
    dependsOn: pulumi.Resource[],
  ): pulumi.Resource {
    const gate = new InjectionGate(
      `${name}-adopted`,
      {
        controlPlane: {},
        deadlineSeconds: gateDeadlineSeconds,
        namespace: gateNamespace ?? existingMeshed(args),
        cluster: args.cluster,
      },
      { parent: this, dependsOn },
    );
    const covered = this.guard.coverOthers(`${name}-guard-others`, { parent: this, dependsOn: gate });
    return formerCertificatesGate(`${name}-former-certificates`, args.cluster, {
      parent: this,
      dependsOn: covered ?? gate,
    });
  }

  private trustAnchors(
    name: string,
    { trustAnchorKey, deployed, protect = false, ...args }: LinkerdMeshArgs,
    planned: PlannedTrust,
  ): MeshAnchor[] {
    const { trustAnchors } = planned;
    const signing = args.signingAnchor ?? trustAnchors[0]?.id;
    const beforeIssue = deployed && signerHook(`${name}-signing-anchor`, deployed, planned);
    return trustAnchors.map(({ id, ...anchor }) => ({
      id,
      signs: id === signing,
      anchor: new TrustAnchor(
        `${name}-trust-anchor-${id}`,
        {
          ...anchor,
          privateKey: id === signing ? trustAnchorKey : undefined,
          beforeIssue: id === planned.signingAnchor ? beforeIssue : undefined,
        },
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
              existingNamespace: sharesNamespace(rotation),
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

/** One anchor of a mesh. */
interface MeshAnchor {
  readonly id: string;
  readonly signs: boolean;
  readonly anchor: TrustAnchor;
}

/** Where the identity issuer comes from. */
function issuerSource(
  { rotation, providedIssuer, issuer }: LinkerdMeshArgs,
  signer: Signer | undefined,
): IdentityIssuerArgs["source"] {
  if (rotation !== undefined) {
    const { issuerRef, ...identity } = rotation.identity;
    const issuedBy = issuerRef ?? required(signer);
    return { ...identity, issuedBy, deadlineSeconds: rotation.certManager.deadlineSeconds };
  }
  return providedIssuer ?? { ...issuer, signer: required(signer) };
}

/** The first namespace that is meshed and does not wait for the gate to be created. */
function existingMeshed({ namespaces = [] }: LinkerdMeshArgs): string | undefined {
  return namespaces.find(({ existing = false, inject }) => existing && isInjected(inject))?.name;
}

function required(signer: Signer | undefined): Signer {
  if (signer === undefined) {
    const rule = "must be the id of an anchor with a key, because no issuer is provided";
    throw new pulumi.InputPropertyError({ propertyPath: "signingAnchor", reason: rule });
  }
  return signer;
}

function present<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value];
}
